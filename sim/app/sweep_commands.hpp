#pragma once

#include <string>
#include <vector>

#include "sim/app/sweep_directory.hpp"

namespace souk {

/// What every part of `souk sweep` takes.
struct SweepArguments {
  std::string grid;
  std::string directory;  ///< --out; empty: runs/NAME
  std::string filter;     ///< empty: every cell
  Shard shard;
  std::string device = "cpu";
};

/// `souk sweep run`.
struct SweepRunArguments {
  SweepArguments sweep;
  int ranks_per_run = 1;
  bool retry_failed = false;
  bool quiet = false;
  double stall_timeout = 600.0;
};

int sweep_run_command(const SweepRunArguments& arguments);
/// What the cells are, what became of them, and what is left to do.
int sweep_plan_command(const SweepArguments& arguments);
int sweep_status_command(const SweepArguments& arguments);
/// How to run one cell again by itself.
int sweep_show_command(const SweepArguments& arguments, const std::string& id);
/// Lists results in the sweep's directory that no cell of the grid asks for, and with `removes` removes them.
int sweep_prune_command(const SweepArguments& arguments, bool removes);
int sweep_diff_command(const SweepArguments& arguments, const std::string& a, const std::string& b);

/// Where the sweep's results are.
SweepDirectory directory_of(const SweepArguments& arguments, const SweepPlan& plan);
/// The runs of this shard, of cells that meet the filter, in the order of the plan.
std::vector<std::size_t> chosen_runs(const SweepArguments& arguments, const SweepPlan& plan);

}  // namespace souk
