#include <csignal>
#include <cstdio>
#include <ctime>
#include <memory>

#include "agents/protocols/federated.hpp"
#include "analysis/sinks/sqlite_sink.hpp"
#include "analysis/sinks/tensorboard_sink.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/app/commands.hpp"
#include "sim/app/progress.hpp"
#include "sim/app/run_directory.hpp"
#include "sim/app/scenario_loading.hpp"
#include "sim/app/version.hpp"
#include "sim/base/atomic_file.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/hash.hpp"
#include "sim/base/log.hpp"
#include "sim/base/stopwatch.hpp"
#include "sim/comm/session.hpp"
#include "sim/engine/round_loop.hpp"
#include "sim/engine/stop_signal.hpp"
#include "sim/engine/watchdog.hpp"

namespace souk {
namespace {

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32] = {};
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

/// What rank 0 keeps open during a run; empty on the others.
struct Outputs {
  std::unique_ptr<RunDirectory> directory;
  std::unique_ptr<MetricSink> results;
  std::unique_ptr<MetricSink> all_sinks;
  std::unique_ptr<CheckpointStore> checkpoints;
  std::optional<Checkpoint> resume_from;
};

std::map<std::string, std::string> facts_at_start(const scenario::Scenario& scenario, const Comm& comm,
                                                  const std::string& blas) {
  return {{"identity", identity_of(scenario)},
          {"name", scenario.name()},
          {"seed", std::to_string(scenario.seed())},
          {"scenario", to_text(scenario)},
          {"version", version()},
          {"commit", commit()},
          {"libtorch", libtorch_version()},
          {"mpi", mpi_version()},
          {"blas", blas},
          {"ranks", std::to_string(comm.size())},
          {"started", utc_now()},
          {"status", to_string(RunStatus::running)},
          {"reason", ""}};
}

/// Throws InputError if the run in `path` is of another scenario, naming the first differing field.
void require_same_run(const std::filesystem::path& path, const scenario::Scenario& scenario) {
  ScenarioSource source{.file_name = path / "scenario.textproto", .text = {}, .overrides = {}};
  SOUK_REQUIRE(std::filesystem::exists(source.file_name), "{}: holds results but no scenario.textproto to compare with",
               path.string());
  source.text = read_text_file(source.file_name);
  const auto difference = first_difference(*resolve_scenario(source).scenario, scenario);
  SOUK_REQUIRE(!difference, "{}: holds another run: {} (first that run's, then yours)", path.string(), *difference);
}

void open_outputs(const RunArguments& arguments, const scenario::Scenario& scenario, Outputs& out) {
  out.directory = std::make_unique<RunDirectory>(arguments.directory, scenario, arguments.resume);
  const auto& path = out.directory->path();
  out.checkpoints = std::make_unique<CheckpointStore>(path / "checkpoint", scenario.checkpoint().keep());
  const bool continues = arguments.resume && out.directory->holds_a_run();
  if (continues) require_same_run(path, scenario);
  SOUK_REQUIRE(continues || out.checkpoints->empty(),
               "{}: holds checkpoints of a run whose results.sqlite is gone; put it back, or choose another --out",
               path.string());
  out.directory->open();
  if (continues) out.resume_from = out.checkpoints->latest(scenario);
  log::also_to_file(path / "souk.log");
  write_file_atomically(path / "scenario.textproto", to_text(scenario));
  out.results = open_sqlite_sink(path / "results.sqlite");
  out.all_sinks = scenario.output().tensorboard() ? with_tensorboard(*out.results, path / "tensorboard") : nullptr;
}

/// Sends rank 0's checkpoint to everybody. Collective.
std::optional<Checkpoint> share_checkpoint(const Comm& comm, const std::optional<Checkpoint>& own) {
  if (!comm.broadcast(static_cast<int>(own.has_value()), 0)) return std::nullopt;
  Checkpoint shared = own.value_or(Checkpoint());
  shared.round = comm.broadcast(shared.round, 0);
  shared.scenario_text = comm.broadcast_text(shared.scenario_text, 0);
  shared.stop = comm.broadcast_text(shared.stop, 0);
  shared.state.resize(comm.broadcast(shared.state.size(), 0));
  comm.broadcast_into(std::span(shared.state), 0);
  return shared;
}

int exit_code_of(const LoopResult& result) {
  if (result.status != RunStatus::interrupted) return exit_done;
  return result.signal == SIGINT ? exit_interrupt : exit_terminated;
}

void print_result(const Outputs& out, const Protocol& protocol, const LoopResult& result) {
  const std::string hash = sha256_hex(protocol.parameters());
  out.results->describe({{"status", to_string(result.status)},
                         {"reason", result.reason},
                         {"finished", utc_now()},
                         {"rounds_done", std::to_string(result.last_round.value)},
                         {"parameters_sha256", hash}});
  if (result.status == RunStatus::interrupted) {
    log::warning("interrupted after round {}; the same command with --resume continues", result.last_round.value);
  } else if (!result.reason.empty()) {
    log::info("ended after round {}: {}", result.last_round.value, result.reason);
  }
  std::printf("run %s\nparameters sha256 %s\n", out.directory->path().c_str(), hash.c_str());
  std::fflush(stdout);
}

/// Where the time before the first round goes; only set_up is ours to shorten.
struct StartUp {
  double loading = 0.0;  ///< from the start of the process to main: mostly LibTorch's shared objects
  double mpi_init = 0.0;
  double set_up = 0.0;  ///< scenario, data set, partition, network, results
};

int run_on(const Comm& comm, const RunArguments& arguments, StartUp start_up, Outputs& out) {
  const Stopwatch watch;
  const std::string blas = limit_blas_to_one_thread();
  limit_libtorch_to_one_thread();
  const ResolvedScenario resolved = load_scenario(comm, arguments.scenario);
  const scenario::Scenario& scenario = *resolved.scenario;
  LoopOptions options{.rounds = scenario.rounds(),
                      .checkpoint_every = scenario.checkpoint().every(),
                      .scenario_text = to_text(scenario)};
  if (!arguments.fault.empty()) comm.run_phase("options", [&] { options.fault = parse_fault(arguments.fault); });
  const Watchdog watchdog(comm.rank(), arguments.stall_timeout);
  const std::unique_ptr<Federated> protocol = build_federation(comm, resolved, arguments.scenario.device);
  comm.run_phase("open results", [&] {
    if (comm.rank() != 0) return;
    open_outputs(arguments, scenario, out);
    out.results->describe(facts_at_start(scenario, comm, blas));
    log::info("{} on {} rank(s): {} clients, {} parameters, {} rounds", scenario.name(), comm.size(),
              scenario.participants().clients(), protocol->parameters().size(), scenario.rounds());
    if (out.resume_from) log::info("continuing after round {}", out.resume_from->round.value);
  });
  const std::optional<Checkpoint> resume_from = share_checkpoint(comm, out.resume_from);
  start_up.set_up = watch.seconds();
  comm.run_phase("record start", [&] {
    if (comm.rank() != 0) return;
    log::info("ready: {:.2f} s loading, {:.2f} s starting MPI, {:.2f} s setting up", start_up.loading,
              start_up.mpi_init, start_up.set_up);
    out.results->describe({{"seconds_loading", fmt::format("{:.3f}", start_up.loading)},
                           {"seconds_mpi_init", fmt::format("{:.3f}", start_up.mpi_init)},
                           {"seconds_set_up", fmt::format("{:.3f}", start_up.set_up)}});
  });
  auto progress = std::make_unique<Progress>(scenario.rounds(), arguments.quiet || comm.rank() != 0);
  options.after_round = [&](const RoundRecord& record) { progress->round_done(record); };
  MetricSink* sink = out.all_sinks != nullptr ? out.all_sinks.get() : out.results.get();
  const LoopResult result = run_rounds(comm, *protocol, sink, out.checkpoints.get(), resume_from, options);
  progress.reset();  // its line is over before the result is printed
  comm.run_phase("finish", [&] {
    if (comm.rank() == 0) print_result(out, *protocol, result);
  });
  return exit_code_of(result);
}

/// The error, once, and in the results where there are any.
void report_failure(const PhaseError& error, Outputs& out) {
  log::error("{}", error.what());
  if (out.results == nullptr) return;
  try {
    out.results->describe(
        {{"status", to_string(RunStatus::failed)}, {"reason", error.what()}, {"finished", utc_now()}});
  } catch (const std::exception& second) {
    log::error("the failure could not be recorded: {}", second.what());
  }
}

}  // namespace

int run_command(const RunArguments& arguments) {
  stop_signal::install();
  StartUp start_up{.loading = seconds_since_process_start()};
  const Stopwatch watch;
  const MpiSession session;
  start_up.mpi_init = watch.seconds();
  const Comm comm = session.world();
  log::start(arguments.quiet ? log::Level::error : (arguments.verbose ? log::Level::debug : log::Level::info),
             comm.rank());
  Outputs out;
  try {
    return run_on(comm, arguments, start_up, out);
  } catch (const PhaseError& error) {
    if (comm.rank() == 0) report_failure(error, out);
    return error.exit_code();
  } catch (const std::exception& error) {
    // Not agreed on: the other ranks do not know and would wait for ever.
    end_fatally(fmt::format("rank {}: {}", comm.rank(), error.what()), exit_our_fault);
  }
}

}  // namespace souk
