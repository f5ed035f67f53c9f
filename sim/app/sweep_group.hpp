#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/app/sweep_catalogue.hpp"
#include "sim/app/sweep_directory.hpp"
#include "sim/app/sweep_screen.hpp"
#include "sim/comm/comm.hpp"

namespace souk {

/// What all groups of ranks work on.
struct SweepWork {
  const SweepPlan& plan;
  const SweepCatalogue& catalogue;
  const SweepDirectory& directory;
  std::vector<std::size_t> queue;  ///< runs, in the order in which they are taken
  std::vector<Estimate> estimates;
  std::uint32_t retries = 0;
  double time_limit = 0.0;
  double stall_timeout = 0.0;
  std::string device;
};

/// Takes runs from the queue until there is none left that nobody has taken. A run is taken by locking its directory,
/// so that groups, and other jobs, share a queue through the file system alone. A group of one rank runs each in a
/// child process, which may crash; a larger one runs it itself. `reporter` is null but on the group's rank 0; `idle` is
/// called there again and again. Returns why nothing can go on (nothing can be recorded), or "". Collective.
std::string work_through(const Comm& group, const SweepWork& work, GroupReporter* reporter,
                         const std::function<void()>& idle);

}  // namespace souk
