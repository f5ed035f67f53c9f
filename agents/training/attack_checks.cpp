#include "agents/training/attack_checks.hpp"

#include <string>

#include <fmt/format.h>

#include "agents/training/attack_schedule.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"

namespace souk {

void check_attacks(const scenario::Scenario& scenario, bool validating) {
  for (int g = 0; g < scenario.attacks_size(); ++g) {
    AttackSchedule(scenario.attacks(g), g).idle_part(scenario.rounds());
    SOUK_REQUIRE(validating || scenario.attacks(g).validation_case() == scenario::Attack::VALIDATION_NOT_SET,
                 "attacks[{}]: lies as a validator, and no aggregator here asks validators", g);
  }
}

void note_idle_attacks(const scenario::Scenario& scenario, SetUpRecord& record) {
  for (int g = 0; g < scenario.attacks_size(); ++g) {
    const scenario::Attack& group = scenario.attacks(g);
    const std::string idle = AttackSchedule(group, g).idle_part(scenario.rounds());
    if (!idle.empty()) record.events.push_back({"idle attack", -1, fmt::format("attacks[{}] {}", g, idle)});
    const bool none = (group.has_poison_share() && group.poison_share() == 0.0) ||
                      (group.has_poison_per_batch() && group.poison_per_batch() == 0);
    if (!none || group.data_case() == scenario::Attack::DATA_NOT_SET) continue;
    record.events.push_back({"idle attack", -1, fmt::format("attacks[{}] poisons no sample", g)});
  }
}

}  // namespace souk
