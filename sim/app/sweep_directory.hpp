#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "sim/base/file_lock.hpp"
#include "sim/engine/run_status.hpp"
#include "sim/sweep/plan.hpp"

namespace souk {

/// Which part of a sweep a job takes: every count-th run, beginning with the index-th.
struct Shard {
  std::size_t index = 1;  ///< from 1
  std::size_t count = 1;
  bool takes(std::size_t run) const { return run % count == index - 1; }
};

/// What is known of a run from its results.
struct RunState {
  RunStatus status = RunStatus::missing;
  std::string reason{};
  std::string identity{};
  std::uint32_t failures = 0;     ///< attempts that failed, crashed or ran out of time
  std::uint32_t rounds_done = 0;  ///< committed
  double seconds = 0.0;           ///< wall-clock, of all rounds

  /// Whether there is a whole result of this identity.
  bool complete(const std::string& wanted) const { return identity == wanted && is_over(status); }
};

/// Reads the results in a run's directory, also while they are written. Where that fails the run has failed for good,
/// until it is begun anew, and the reason says why.
RunState read_run_state(const std::filesystem::path& directory);

/// The status of a run for people: one that says it is running while nobody holds its directory was killed.
RunStatus shown_status(const RunState& state, const std::filesystem::path& directory);

/// All facts in them, by name; none where there are no results, or they have no such table yet.
std::map<std::string, std::string> read_run_facts(const std::filesystem::path& directory);

/// The directory of a sweep: sweep.sqlite, which says what the cells are, and cells/ID, the directories of their runs,
/// which say what became of them (docs/results-schema.md).
class SweepDirectory {
 public:
  explicit SweepDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path of_runs() const { return path_ / "cells"; }
  std::filesystem::path of_run(const std::string& id) const { return of_runs() / id; }
  std::filesystem::path of_group(const Shard& shard, int group) const;
  std::filesystem::path of_groups() const { return path_ / "groups"; }

  /// Creates it, locks this part of it against other jobs while this object lives, and replaces its list of cells.
  /// Throws InputError where another job has it, where it cannot be written, or where it holds something else.
  void open(const SweepPlan& plan, const Shard& shard);
  /// Throws InputError where it holds a sweep of another name.
  void require_same_name(const SweepPlan& plan) const;
  /// Whether it is still found under its path.
  bool is_in_place() const;
  /// Throws std::runtime_error where it is not.
  void require_in_place() const;
  /// Whether a job is at work in it.
  bool busy() const;

 private:
  void write_index(const SweepPlan& plan) const;

  std::filesystem::path path_;
  FileLock whole_, part_;
};

}  // namespace souk
