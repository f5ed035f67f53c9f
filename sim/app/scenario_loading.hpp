#pragma once

#include "sim/app/commands.hpp"
#include "sim/comm/comm.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {

/// Rank 0 reads the file, every rank parses the same bytes. Throws PhaseError. Collective.
ResolvedScenario load_scenario(const Comm& comm, const ScenarioArguments& arguments);

}  // namespace souk
