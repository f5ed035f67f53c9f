#pragma once

#include <memory>
#include <string>

#include "agents/simulation.hpp"
#include "sim/app/commands.hpp"
#include "sim/comm/comm.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {

/// The data set of a scenario, and its federation; errors are given the place of the field they name. Collective.
SharedData load_data(const Comm& comm, const ResolvedScenario& resolved);
std::unique_ptr<Simulation> build_simulation(const Comm& comm, const ResolvedScenario& resolved,
                                             const std::string& device, const SharedData& data);

/// Rank 0 reads the file, every rank parses the same bytes. Throws PhaseError. Collective.
ResolvedScenario load_scenario(const Comm& comm, const ScenarioArguments& arguments);

}  // namespace souk
