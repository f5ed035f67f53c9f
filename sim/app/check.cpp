#include <array>
#include <cstdio>
#include <span>

#include <fmt/format.h>

#include "agents/simulation.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/app/advice.hpp"
#include "sim/app/commands.hpp"
#include "sim/app/run_outputs.hpp"
#include "sim/app/scenario_loading.hpp"
#include "sim/app/version.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/log.hpp"
#include "sim/base/memory.hpp"
#include "sim/comm/session.hpp"

namespace souk {

namespace {

constexpr std::array<const char*, moments> doing{"training", "attacking", "aggregating", "valuing",
                                                 "testing",  "saving",    "forgetting"};

/// What every part of it needs of a rank's memory; those below a megabyte together.
void print_parts(std::span<const PartFootprint> parts) {
  constexpr double small = 1e6;
  double rest = 0.0;
  for (const PartFootprint& part : parts) {
    const Footprint& need = part.footprint;
    std::string text = need.held >= small ? bytes_text(need.held) : "";
    rest += need.held >= small ? 0.0 : need.held;
    for (std::size_t m = 0; m < moments; ++m) {
      if (need.working[m] < small) continue;
      text += fmt::format("{}{} while {}", text.empty() ? "" : ", and ", bytes_text(need.working[m]), doing[m]);
    }
    if (!text.empty()) fmt::print("  {:<25} {}\n", part.part, text);
  }
  fmt::print("  {:<25} {}\n", "others", bytes_text(rest));
}

}  // namespace

int check_command(const ScenarioArguments& arguments, bool print, int ranks) {
  const std::string blas = limit_blas_to_one_thread();
  limit_libtorch_to_one_thread();
  const Comm comm = Comm::self();
  const ResolvedScenario resolved = load_scenario(comm, arguments);
  const scenario::Scenario& scenario = *resolved.scenario;
  if (print) {
    std::fputs(to_text(scenario).c_str(), stdout);
    return exit_done;
  }
  const SharedData data = load_data(comm, resolved);
  const std::unique_ptr<Simulation> protocol = build_simulation(comm, resolved, arguments.device, data);
  const int count = std::max(1, ranks);
  const RunEstimate need = protocol->estimate(count);
  const auto line = [](const char* what, const std::string& value) { fmt::print("{:<28}{}\n", what, value); };
  line("scenario", scenario.name());
  line("identity", full_identity(scenario, content_hash(data)));
  line("data", describe(data));
  line("clients", fmt::format("{} ({} updates per round{})", need.clients, need.updates_per_round,
                              scenario.participants().has_poisson() ? ", expected" : ""));
  line("malicious", fmt::format("{} per round, expected", need.malicious_per_round));
  if (need.tolerated_f) {
    const bool told = scenario.aggregator().tolerated_f() >= 0;
    line("tolerated f", fmt::format("{}{}", *need.tolerated_f, told ? "" : " (the true number: none was given)"));
  }
  for (const Forecast& forecast : protocol->forecasts()) line(forecast.about.c_str(), forecast.text);
  line("parameters", std::to_string(need.parameters));
  line("protocol bytes per round",
       fmt::format("{} down, {} up", bytes_text(need.bytes_down_per_round), bytes_text(need.bytes_up_per_round)));
  line("training work per round", fmt::format("{:.3g} GFLOP", need.training_flops() * 1e-9));
  if (need.judging_flops() > 0.0) {
    line("judging work per round", fmt::format("up to {:.3g} GFLOP", need.judging_flops() * 1e-9));
  }
  line("data set, once per node", bytes_text(need.node_bytes()));
  line("peak memory per rank", fmt::format("{} with {} rank(s)", bytes_text(need.rank_bytes()), count));
  print_parts(need.parts);
  line("available on this node", bytes_text(available_memory()));
  line("BLAS", blas);
  for (const std::string& sentence : advice_on_cost(scenario)) log::warning("{}", sentence);
  require_memory(need, count);
  return exit_done;
}

}  // namespace souk
