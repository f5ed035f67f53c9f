#include <csignal>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>

#include "agents/simulation.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/app/collective_command.hpp"
#include "sim/app/commands.hpp"
#include "sim/app/progress.hpp"
#include "sim/app/run_outputs.hpp"
#include "sim/app/scenario_loading.hpp"
#include "sim/app/version.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/hash.hpp"
#include "sim/base/launcher_line.hpp"
#include "sim/base/log.hpp"
#include "sim/base/stopwatch.hpp"
#include "sim/comm/session.hpp"
#include "sim/engine/neighbour_watch.hpp"
#include "sim/engine/round_loop.hpp"
#include "sim/engine/stop_signal.hpp"
#include "sim/engine/watchdog.hpp"
#include "sim/params/parameter_layout.hpp"

namespace souk {
namespace {

int exit_code_of(const LoopResult& result) {
  if (result.status != RunStatus::interrupted) return exit_done;
  return result.signal == SIGINT ? exit_interrupt : exit_terminated;
}

/// What a market came to for one buyer: a line for who reads no database. `prefix` is that of its metrics.
void print_buyer(const std::string& prefix, const std::string& quality, const std::map<std::string, double>& last) {
  const auto value = [&](const char* name) {
    const auto found = last.find(prefix + name);
    return found == last.end() ? std::string("-") : fmt::format("{:.4g}", found->second);
  };
  fmt::print(
      "{}{} {}, asr {}; spent {} credits, {} of them on malicious sellers; Gini of benign incomes {}; "
      "malicious selection rate {}\n",
      prefix.empty() ? "" : prefix.substr(0, prefix.size() - 1) + ": ", quality, value(quality.c_str()), value("asr"),
      value("spent_total"), value("malicious_income"), value("payment_gini"), value("malicious_selection_rate"));
}

void print_market(const scenario::Market& market, const std::string& quality,
                  const std::map<std::string, double>& last) {
  print_buyer("", quality, last);
  for (const scenario::Buyer& rival : market.rivals()) print_buyer("buyer." + rival.name() + ".", quality, last);
}

void print_result(const RunOutputs& out, const Protocol& protocol, const LoopResult& result) {
  const std::string hash = sha256_hex(protocol.parameters());
  record_end(out, result, hash);
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

int run_on(const Comm& comm, const RunArguments& arguments, StartUp start_up, RunOutputs& out) {
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
  const NeighbourWatch neighbours(comm, arguments.stall_timeout);
  const SharedData data = load_data(comm, resolved);
  const std::unique_ptr<Simulation> protocol = build_simulation(comm, resolved, arguments.scenario.device, data);
  comm.run_phase("open results", [&] {
    if (comm.rank() != 0) return;
    const std::string data_hash = content_hash(data);
    auto directory = std::make_unique<RunDirectory>(arguments.directory, scenario, full_identity(scenario, data_hash),
                                                    arguments.resume);
    SOUK_REQUIRE(directory->try_open(), "{}: another run is writing here", directory->path().string());
    launcher_line::say(launcher_line::directory, std::filesystem::absolute(directory->path()).string());
    const Facts facts = facts_at_start(scenario, data_hash, comm, blas);
    open_outputs(std::move(directory), scenario, facts, out);
    out.results->describe(facts);
    log::info("{} on {} rank(s): {} clients, {} parameters, {} rounds", scenario.name(), comm.size(),
              scenario.participants().clients(), protocol->parameters().size(), scenario.rounds());
    log::info("{}", describe(data));
    log::info("results in {}", out.directory->path().string());
    if (out.resume_from) log::info("continuing after round {}", out.resume_from->round.value);
  });
  options.tensors = text_of(protocol->layout().slots());
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
  std::map<std::string, double> last;
  std::string quality = "quality";
  options.before_commit = [&] { out.directory->require_in_place(); };
  options.after_round = [&](const RoundRecord& record) {
    progress->round_done(record);
    if (record.quality) quality = record.quality->name;
    for (const MetricValue& metric : record.metrics) {
      if (metric.agent < 0 && metric.label < 0) last[metric.name] = metric.value;
    }
  };
  const LoopResult result = run_rounds(comm, *protocol, out.sink(), out.checkpoints.get(), resume_from, options);
  progress.reset();  // its line is over before the result is printed
  comm.run_phase("finish", [&] {
    if (comm.rank() != 0) return;
    out.directory->require_in_place();
    if (scenario.has_market()) print_market(scenario.market(), quality, last);
    print_result(out, *protocol, result);
  });
  return exit_code_of(result);
}

/// The error, once, and in the results where there are any.
void report_failure(const PhaseError& error, const RunOutputs& out) {
  log::error("{}", error.what());
  if (out.results == nullptr) return;
  try {
    record_failure(out, RunStatus::failed, error.what());
  } catch (const std::exception& second) {
    if (!out.directory->is_in_place()) return;  // as has been said
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
  RunOutputs out;
  try {
    return run_on(comm, arguments, start_up, out);
  } catch (const PhaseError& error) {
    if (comm.rank() == 0) report_failure(error, out);
    return error.exit_code();
  } catch (const std::exception& error) {
    end_for_all(comm, error);
  }
}

}  // namespace souk
