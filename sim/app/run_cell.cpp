#include "sim/app/run_cell.hpp"

#include "agents/simulation.hpp"
#include "analysis/sinks/sqlite_sink.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/app/run_outputs.hpp"
#include "sim/base/atomic_file.hpp"
#include "sim/base/error.hpp"
#include "sim/base/hash.hpp"
#include "sim/base/last_words.hpp"
#include "sim/comm/session.hpp"
#include "sim/engine/scenario_file.hpp"
#include "sim/engine/watchdog.hpp"
#include "sim/params/parameter_layout.hpp"

namespace souk {
namespace {

LoopResult run_to_the_end(const Comm& comm, const CellOrder& order, const scenario::Scenario& scenario,
                          RunOutputs& out) {
  const std::unique_ptr<Simulation> protocol = make_simulation(comm, scenario, order.device, order.data);
  const std::optional<Checkpoint> resume_from = share_checkpoint(comm, out.resume_from);
  const LoopOptions options{.rounds = scenario.rounds(),
                            .checkpoint_every = scenario.checkpoint().every(),
                            .time_limit = order.time_limit,
                            .scenario_text = order.run.scenario,
                            .tensors = text_of(protocol->layout().slots()),
                            .before_commit = [&] { out.directory->require_in_place(); },
                            .after_round = order.after_round};
  const LoopResult result = run_rounds(comm, *protocol, out.sink(), out.checkpoints.get(), resume_from, options);
  comm.run_phase("finish", [&] {
    if (comm.rank() != 0) return;
    const bool failed = result.status == RunStatus::timed_out;
    record_end(out, result, sha256_hex(protocol->parameters()),
               {{"failures", std::to_string(order.failures + (failed ? 1 : 0))}});
  });
  return result;
}

}  // namespace

void require_space(const std::filesystem::path& directory) {
  const std::filesystem::path probe = directory / "probe";
  std::filesystem::remove(probe);
  try {
    write_file_atomically(probe, std::string(std::size_t{1} << 20, ' '));
  } catch (...) {
    std::filesystem::remove(probe);
    throw;
  }
  std::filesystem::remove(probe);
}

LoopResult run_cell(const Comm& comm, const CellOrder& order, std::unique_ptr<RunDirectory> locked) {
  const ResolvedScenario resolved = resolve_scenario({order.run.id(), order.run.scenario, {}});
  RunOutputs out;
  comm.run_phase("open results", [&] {
    if (comm.rank() == 0) {
      const Facts facts = facts_at_start(*resolved.scenario, order.data_hash, comm, limit_blas_to_one_thread());
      open_outputs(std::move(locked), *resolved.scenario, facts, out);
      out.results->describe(facts);
      out.results->describe({{"failures", std::to_string(order.failures)}});
    }
    last_words::keep_in(last_words_file(order.directory));
  });
  const Watchdog watchdog(comm.rank(), order.stall_timeout);
  LoopResult result;
  try {
    result = run_to_the_end(comm, order, *resolved.scenario, out);
  } catch (const PhaseError& error) {
    const bool refused = error.exit_code() == exit_bad_input;
    result = {RunStatus::failed, error.what(), 0, {}};
    comm.run_phase("record failure", [&] {
      if (comm.rank() != 0) return;
      require_space(order.directory);
      record_failure(out, RunStatus::failed, error.what(),
                     {{"failures", std::to_string(refused ? order.refused : order.failures + 1)}});
    });
  }
  last_words::keep_nowhere();
  comm.barrier();
  if (comm.rank() == 0) std::filesystem::remove(last_words_file(order.directory));
  return result;
}

std::filesystem::path last_words_file(const std::filesystem::path& directory) { return directory / "last_words"; }

void record_crash(const CellOrder& order, const std::string& reason) {
  write_file_atomically(order.directory / "scenario.textproto", order.run.scenario);
  open_sqlite_sink(order.directory / "results.sqlite")
      ->describe({{"status", to_string(RunStatus::crashed)},
                  {"reason", reason},
                  {"failures", std::to_string(order.failures + 1)}});
}

}  // namespace souk
