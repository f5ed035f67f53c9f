#include "attacks/buyer_attack.hpp"

#include "scenarios/buyer_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {

std::unique_ptr<BuyerAttack> make_buyer_attack(const scenario::Misconduct& config) {
  return PluginRegistry<BuyerAttack>::instance().create(config, "method");
}

}  // namespace souk
