#pragma once

#include "sim/engine/round_record.hpp"

namespace souk::scenario {
class Scenario;
}

namespace souk {

/// Refuses liars whom nobody asks, and schedules without a round. `validating`: some rule asks validators. Throws
/// InputError.
void check_attacks(const scenario::Scenario& scenario, bool validating);

/// What attacker groups will not do, known before the first round.
void note_idle_attacks(const scenario::Scenario& scenario, SetUpRecord& record);

}  // namespace souk
