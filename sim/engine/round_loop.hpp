#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "sim/comm/comm.hpp"
#include "sim/engine/checkpoint.hpp"
#include "sim/engine/metric_sink.hpp"
#include "sim/engine/phases.hpp"
#include "sim/engine/protocol.hpp"
#include "sim/engine/run_status.hpp"

namespace souk {

/// How rounds are repeated.
struct LoopOptions {
  std::uint32_t rounds = 1;
  std::uint32_t checkpoint_every = 0;  ///< 0: only at the end and on a signal
  double time_limit = 0.0;             ///< seconds on the wall clock; 0: none. Ends the run as a signal does
  std::string scenario_text;           ///< resolved, kept in every checkpoint
  std::string tensors{};               ///< names and shapes of the model's, kept there too
  std::optional<InjectedFault> fault{};
  std::function<void()> before_commit{};                  ///< throws where nothing can be committed; called on rank 0
  std::function<void(const RoundRecord&)> after_round{};  ///< progress display; called on rank 0
};

/// How the loop ended.
struct LoopResult {
  RunStatus status = RunStatus::done;
  std::string reason;  ///< of an early stop
  int signal = 0;      ///< that interrupted it
  RoundIndex last_round;
};

/// Runs rounds to the end: run_round, commit, checkpoint, stop tests. Knows no role and no rule. `sinks` and `store`
/// are used on rank 0 only and null elsewhere. With `resume_from`, starts after that checkpoint. Order at the end of a
/// round: rows committed under the round's number, then the checkpoint renamed into place. A kill between the two makes
/// the resumed run compute that round again, to the same bits, and replace the same rows.
LoopResult run_rounds(const Comm& comm, Protocol& protocol, MetricSink* sink, const CheckpointStore* store,
                      const std::optional<Checkpoint>& resume_from, const LoopOptions& options);

}  // namespace souk
