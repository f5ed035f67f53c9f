#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "agents/cast/shared_data.hpp"
#include "sim/app/run_directory.hpp"
#include "sim/engine/round_loop.hpp"
#include "sim/sweep/plan.hpp"

namespace souk {

/// One attempt at a run of a sweep.
struct CellOrder {
  const PlannedRun& run;
  const SharedData& data;
  std::string data_hash;
  std::filesystem::path directory;
  std::string device;
  double time_limit = 0.0;     ///< seconds; 0: none
  double stall_timeout = 0.0;  ///< seconds without any movement that end the process; 0: never
  std::uint32_t failures = 0;  ///< of earlier attempts
  std::uint32_t refused = 0;   ///< failures to record where the scenario cannot be run at all
  std::function<void(const RoundRecord&)> after_round{};  ///< called on rank 0
};

/// Runs it from its last checkpoint on, and records how it ended, whatever happens. `locked` is its directory, null but
/// on rank 0. Collective; throws PhaseError only where nothing can be recorded.
LoopResult run_cell(const Comm& comm, const CellOrder& order, std::unique_ptr<RunDirectory> locked);

/// Where a process of run_cell writes why it ends, if it must end at once; empty or gone while all is well.
std::filesystem::path last_words_file(const std::filesystem::path& directory);

/// Throws std::runtime_error where not even a small file can be written: then a run that failed may be blameless.
void require_space(const std::filesystem::path& directory);

/// Records an attempt that ended without recording anything. Throws std::runtime_error.
void record_crash(const CellOrder& order, const std::string& reason);

}  // namespace souk
