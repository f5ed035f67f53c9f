#include "sim/app/scenario_loading.hpp"

#include <fmt/format.h>

#include "scenarios/scenario.pb.h"
#include "sim/base/atomic_file.hpp"
#include "sim/base/error.hpp"

namespace souk {

namespace {

/// With the place in the scenario's file of the field that an error is about.
template <class Work>
auto with_places(const ResolvedScenario& resolved, Work work) {
  try {
    return work();
  } catch (const PhaseError& error) {
    throw PhaseError(error.rank(), error.exit_code(), with_place(resolved, error.what()));
  }
}

}  // namespace

SharedData load_data(const Comm& comm, const ResolvedScenario& resolved) {
  const scenario::Scenario& scenario = *resolved.scenario;
  return with_places(resolved, [&] { return load_shared_data(comm, scenario.task().data(), scenario.seed()); });
}

std::unique_ptr<Simulation> build_simulation(const Comm& comm, const ResolvedScenario& resolved,
                                             const std::string& device, const SharedData& data) {
  return with_places(resolved, [&] { return make_simulation(comm, *resolved.scenario, device, data); });
}

ResolvedScenario load_scenario(const Comm& comm, const ScenarioArguments& arguments) {
  ScenarioSource source{.file_name = arguments.file, .text = {}, .overrides = arguments.overrides};
  comm.run_phase("read scenario", [&] {
    if (comm.rank() == 0) source.text = read_text_file(arguments.file);
  });
  source.text = comm.broadcast_text(source.text, 0);
  if (arguments.seed) source.overrides.push_back(fmt::format("seed={}", *arguments.seed));
  ResolvedScenario resolved;
  comm.run_phase("resolve scenario", [&] { resolved = resolve_scenario(source); });
  return resolved;
}

}  // namespace souk
