#include "attacks/attack.hpp"

#include <array>
#include <numeric>

#include "scenarios/attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

template <class Port>
std::unique_ptr<Port> make_if_chosen(const scenario::Attack& group, const std::string& oneof) {
  if (chosen(group, oneof) == nullptr) return nullptr;
  return PluginRegistry<Port>::instance().create(group, oneof);
}

}  // namespace

std::string_view knowledge_name(Knowledge level) {
  constexpr std::array<std::string_view, 4> names{"OWN", "COLLUDERS", "ALL", "RULE"};
  return names[static_cast<std::size_t>(level)];
}

ProbeResult RuleProbe::probe(const ColumnMatrix& updates) {
  std::vector<std::size_t> everybody(updates.rows());
  std::iota(everybody.begin(), everybody.end(), std::size_t{0});
  return judge(updates, everybody);
}

void DataAttack::trigger(const TriggeredBatch&) const { SOUK_EXPECT(has_goal()); }

std::unique_ptr<DataAttack> make_data_attack(const scenario::Attack& group) {
  return make_if_chosen<DataAttack>(group, "data");
}

std::unique_ptr<StructureAttack> make_structure_attack(const scenario::Attack& group) {
  return make_if_chosen<StructureAttack>(group, "structure");
}

std::vector<std::unique_ptr<UpdateAttack>> make_update_attacks(const scenario::Attack& group) {
  std::vector<std::unique_ptr<UpdateAttack>> stages;
  for (const char* oneof : {"update", "sybil"}) {
    if (auto stage = make_if_chosen<UpdateAttack>(group, oneof)) stages.push_back(std::move(stage));
  }
  return stages;
}

std::unique_ptr<ReportAttack> make_report_attack(const scenario::Attack& group) {
  return make_if_chosen<ReportAttack>(group, "validation");
}

}  // namespace souk
