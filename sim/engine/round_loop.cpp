#include "sim/engine/round_loop.hpp"

#include <array>
#include <memory>

#include <fmt/format.h>
#include <sys/resource.h>

#include "sim/base/error.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/stopwatch.hpp"
#include "sim/engine/stop_signal.hpp"

namespace souk {
namespace {

struct Usage {
  std::int64_t peak_rss_bytes = 0;
  std::int64_t page_faults = 0;
};

Usage own_usage() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return {usage.ru_maxrss * 1024, usage.ru_minflt + usage.ru_majflt};
}

void record_processes(const Comm& comm, const Usage& before, RoundRecord& record) {
  const Usage now = own_usage();
  const std::array<std::int64_t, 2> own{now.peak_rss_bytes, now.page_faults - before.page_faults};
  const std::vector<std::int64_t> all = comm.all_gather(std::span<const std::int64_t>(own));
  for (int rank = 0; rank < comm.size(); ++rank) {
    const auto at = static_cast<std::size_t>(rank) * own.size();
    record.processes.push_back({rank, all[at], all[at + 1]});
  }
}

/// Writes, where something can be written; what fails because it cannot any more is said as that.
void commit(const LoopOptions& options, const std::function<void()>& write) {
  if (!options.before_commit) return write();
  options.before_commit();
  try {
    write();
  } catch (const std::exception&) {
    options.before_commit();
    throw;
  }
}

/// For ranks that write no file.
class Nowhere final : public StateSink {
 public:
  void write(std::span<const std::byte>) override {}
};

/// All ranks call it; rank 0 writes, as the state comes.
void save(Phases& phases, Protocol& protocol, const CheckpointStore* store, const RoundRecord& record,
          const LoopOptions& options) {
  std::unique_ptr<CheckpointFile> file;
  phases.local("checkpoint", [&] {
    if (store == nullptr) return;
    commit(options, [&] {
      file = store->begin(
          {.round = record.round, .scenario_text = options.scenario_text, .stop = record.stop.value_or("")});
    });
  });
  Nowhere nowhere;
  ArchiveWriter archive(file != nullptr ? static_cast<StateSink&>(*file) : nowhere);
  protocol.serialize(archive);
  phases.local("checkpoint", [&] {
    if (file != nullptr) commit(options, [&] { store->commit(*file); });
  });
}

/// What one rank cannot load, none does: they read the state together.
void load(const Comm& comm, Protocol& protocol, const Checkpoint& checkpoint) {
  try {
    CheckpointState state(comm, checkpoint);
    ArchiveReader archive(state);
    protocol.serialize(archive);
    archive.expect_end();
  } catch (const PhaseError&) {
    throw;
  } catch (const std::exception&) {
    comm.run_phase(CheckpointState::phase, [] { throw; });
  }
  comm.run_phase(CheckpointState::phase, [] {});
}

std::string time_limit_text(const LoopOptions& options) {
  return fmt::format("took longer than {} s", options.time_limit);
}

LoopResult ended_by(const RoundRecord& record) {
  const bool diverged = record.stop == "diverged";
  return {diverged ? RunStatus::diverged : RunStatus::done, record.stop.value_or(""), 0, record.round};
}

}  // namespace

std::string to_string(RunStatus status) {
  switch (status) {
    case RunStatus::running:
      return "running";
    case RunStatus::done:
      return "done";
    case RunStatus::diverged:
      return "diverged";
    case RunStatus::failed:
      return "failed";
    case RunStatus::crashed:
      return "crashed";
    case RunStatus::timed_out:
      return "timed_out";
    case RunStatus::interrupted:
      break;
  }
  return "interrupted";
}

std::optional<double> RoundRecord::metric(const std::string& name) const {
  for (const MetricValue& candidate : metrics) {
    if (candidate.name == name && candidate.agent < 0 && candidate.label < 0) return candidate.value;
  }
  return std::nullopt;
}

LoopResult run_rounds(const Comm& comm, Protocol& protocol, MetricSink* sink, const CheckpointStore* store,
                      const std::optional<Checkpoint>& resume_from, const LoopOptions& options) {
  RoundRecord record;
  if (resume_from) {
    load(comm, protocol, *resume_from);
    record.round = resume_from->round;
    if (!resume_from->stop.empty()) record.stop = resume_from->stop;
  }
  const Stopwatch watch;
  const RoundIndex kept = record.round;
  comm.run_phase("record", [&] {
    if (sink == nullptr) return;
    sink->rewind(kept);
    sink->commit_set_up(protocol.set_up_record());
  });
  while (!record.stop && record.round.value < options.rounds) {
    const Usage before = own_usage();
    const RoundIndex next{record.round.value + 1};
    record = RoundRecord();
    record.round = next;
    heartbeat::set_round(record.round.value);
    const bool last = record.round.value == options.rounds;
    Phases phases(comm, record.round, options.fault);
    protocol.run_round(record.round, last, phases, record);
    record.phases = phases.times();
    record_processes(comm, before, record);
    phases.local("record", [&] {
      if (sink == nullptr) return;
      commit(options, [&] { sink->commit(record); });
      if (options.after_round) options.after_round(record);
    });
    const int signal = comm.all_max(stop_signal::received());
    const bool late = comm.all_max(options.time_limit > 0.0 && watch.seconds() > options.time_limit ? 1 : 0) != 0;
    const bool over = last || record.stop || signal != 0 || late;
    const bool due = options.checkpoint_every != 0 && record.round.value % options.checkpoint_every == 0;
    if (over || due) save(phases, protocol, store, record, options);
    if (last || record.stop) break;
    if (signal != 0) return {RunStatus::interrupted, "signal", signal, record.round};
    if (late) return {RunStatus::timed_out, time_limit_text(options), 0, record.round};
  }
  return ended_by(record);
}

}  // namespace souk
