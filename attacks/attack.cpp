#include "attacks/attack.hpp"

#include "scenarios/attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

template <class Port>
std::unique_ptr<Port> make_if_of_this_kind(const scenario::Attack& group) {
  const auto& registry = PluginRegistry<Port>::instance();
  const auto* config = chosen(group, "method");
  if (config == nullptr || !registry.has(plugin_name(config->GetDescriptor()))) return nullptr;
  return registry.create(group, "method");
}

}  // namespace

std::unique_ptr<DataAttack> make_data_attack(const scenario::Attack& group) {
  return make_if_of_this_kind<DataAttack>(group);
}

std::unique_ptr<UpdateAttack> make_update_attack(const scenario::Attack& group) {
  return make_if_of_this_kind<UpdateAttack>(group);
}

std::unique_ptr<ReportAttack> make_report_attack(const scenario::Attack& group) {
  if (chosen(group, "validation") == nullptr) return nullptr;
  return PluginRegistry<ReportAttack>::instance().create(group, "validation");
}

}  // namespace souk
