#pragma once

#include <memory>
#include <vector>

#include "attacks/data_attack.hpp"
#include "attacks/report_attack.hpp"
#include "attacks/structure_attack.hpp"
#include "attacks/update_attack.hpp"

namespace souk::scenario {
class Attack;
}

namespace souk {

/// The data attack chosen in the group, or null where there is none.
std::unique_ptr<DataAttack> make_data_attack(const scenario::Attack& group);

/// What the group does to the edges that members train on, or null where there is nothing.
std::unique_ptr<StructureAttack> make_structure_attack(const scenario::Attack& group);

/// What the group does with its updates, in order: the update attack, then the Sybil strategy; empty where there is
/// neither.
std::vector<std::unique_ptr<UpdateAttack>> make_update_attacks(const scenario::Attack& group);

/// What the group's validators do to their reports, or null where they are honest.
std::unique_ptr<ReportAttack> make_report_attack(const scenario::Attack& group);

}  // namespace souk
