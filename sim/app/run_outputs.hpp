#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "sim/app/run_directory.hpp"
#include "sim/comm/comm.hpp"
#include "sim/engine/checkpoint.hpp"
#include "sim/engine/metric_sink.hpp"
#include "sim/engine/protocol.hpp"
#include "sim/engine/round_loop.hpp"
#include "sim/engine/run_status.hpp"

namespace souk {

/// What rank 0 keeps open during a run; empty on the others.
struct RunOutputs {
  std::unique_ptr<RunDirectory> directory;
  std::unique_ptr<MetricSink> results;
  std::unique_ptr<MetricSink> pictures;   ///< and results; null: there are none
  std::unique_ptr<MetricSink> all_sinks;  ///< null: only the former
  std::unique_ptr<CheckpointStore> checkpoints;
  std::optional<Checkpoint> resume_from;

  MetricSink* sink() const {
    if (all_sinks != nullptr) return all_sinks.get();
    return pictures != nullptr ? pictures.get() : results.get();
  }
};

using Facts = std::map<std::string, std::string>;

/// Opens what a run writes in its directory, which is locked, and finds where an earlier run of the same scenario
/// stopped; `facts` are those of the run that begins. Throws InputError where the directory holds something else:
/// another scenario, another data set, or rounds to which no checkpoint leads back. Warns, and records, where the
/// program or the machine is another one than the run began with.
void open_outputs(std::unique_ptr<RunDirectory> directory, const scenario::Scenario& scenario, const Facts& facts,
                  RunOutputs& out);

/// Facts about a run that begins, or goes on, now.
Facts facts_at_start(const scenario::Scenario& scenario, const std::string& data_hash, const Comm& comm,
                     const std::string& blas);
/// What a run's result depends on (run_identity).
std::string full_identity(const scenario::Scenario& scenario, const std::string& data_hash);

/// Facts about how it ended, and others that are to be seen with these or not at all.
void record_end(const RunOutputs& out, const LoopResult& result, const std::string& parameters_hash, Facts others = {});
void record_failure(const RunOutputs& out, RunStatus status, const std::string& reason, Facts others = {});

}  // namespace souk
