#include "sim/engine/round_loop.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <sys/resource.h>

#include "sim/base/error.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/stopwatch.hpp"
#include "sim/engine/stop_signal.hpp"

namespace souk {
namespace {

struct LoopUsage {
  std::int64_t peak_rss_bytes = 0;
  std::int64_t page_faults = 0;
};

LoopUsage own_usage() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return {usage.ru_maxrss * 1024, usage.ru_minflt + usage.ru_majflt};
}

/// What ends a run beside its rounds, on some rank.
struct EndOfRound {
  int signal = 0;
  bool late = false;
};

/// Tells all ranks, at once, of each other's times, memory, signals and clocks.
EndOfRound share_end_of_round(const Comm& comm, const Phases& phases, const LoopUsage& before, bool late,
                              RoundRecord& record) {
  const LoopUsage now = own_usage();
  std::vector<std::int64_t> own{now.peak_rss_bytes, now.page_faults - before.page_faults, stop_signal::received(),
                                late ? 1 : 0};
  const std::size_t of_phases = own.size();
  for (const OwnPhaseTime& time : phases.own_times()) own.insert(own.end(), {time.elapsed, time.busy});
  const std::vector<std::size_t> counts(static_cast<std::size_t>(comm.size()), own.size());
  std::vector<std::int64_t> all(counts.size() * own.size());
  comm.all_gather_into(std::span<const std::int64_t>(own), counts, std::span(all));

  EndOfRound end;
  for (const OwnPhaseTime& time : phases.own_times()) record.phases.push_back({time.phase});
  for (int rank = 0; rank < comm.size(); ++rank) {
    const std::int64_t* values = &all[static_cast<std::size_t>(rank) * own.size()];
    record.processes.push_back({rank, values[0], values[1]});
    end.signal = std::max(end.signal, static_cast<int>(values[2]));
    end.late = end.late || values[3] != 0;
    values += of_phases;
    for (PhaseTime& phase : record.phases) {  // the longest, and the sum of all work
      phase.seconds = std::max(phase.seconds, static_cast<double>(*values++) * 1e-9);
      phase.busy_seconds += static_cast<double>(*values++) * 1e-9;
    }
  }
  return end;
}

/// Writes, where something can be written; what fails because it cannot any more is said as that.
void commit_round(const LoopOptions& options, const std::function<void()>& write) {
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
    commit_round(options, [&] {
      file = store->begin({.round = record.round,
                           .scenario_text = options.scenario_text,
                           .stop = text_of(record.stop),
                           .tensors = options.tensors});
    });
  });
  Nowhere nowhere;
  ArchiveWriter archive(file != nullptr ? static_cast<StateSink&>(*file) : nowhere);
  protocol.serialize(archive);
  phases.local("checkpoint", [&] {
    if (file != nullptr) commit_round(options, [&] { store->commit(*file); });
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
  const bool diverged = record.stop == Stop::diverged;
  return {diverged ? RunStatus::diverged : RunStatus::done, text_of(record.stop), 0, record.round};
}

}  // namespace

LoopResult run_rounds(const Comm& comm, Protocol& protocol, MetricSink* sink, const CheckpointStore* store,
                      const std::optional<Checkpoint>& resume_from, const LoopOptions& options) {
  RoundRecord record;
  if (resume_from) {
    load(comm, protocol, *resume_from);
    record.round = resume_from->round;
    record.stop = stop_named(resume_from->stop);
  }
  const Stopwatch watch;
  const RoundIndex kept = record.round;
  comm.run_phase("record", [&] {
    if (sink == nullptr) return;
    sink->rewind(kept);
    sink->commit_set_up(protocol.set_up_record());
  });
  while (!record.stop && record.round.value < options.rounds) {
    const LoopUsage before = own_usage();
    const RoundIndex next{record.round.value + 1};
    record = RoundRecord();
    record.round = next;
    heartbeat::set_round(record.round.value);
    const bool last = record.round.value == options.rounds;
    Phases phases(comm, record.round, options.fault);
    protocol.run_round(record.round, last, phases, record);
    const bool out_of_time = options.time_limit > 0.0 && watch.seconds() > options.time_limit;
    const auto [signal, late] = share_end_of_round(comm, phases, before, out_of_time, record);
    phases.local("record", [&] {
      if (sink == nullptr) return;
      commit_round(options, [&] { sink->commit(record); });
      if (options.after_round) options.after_round(record);
    });
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
