#include "attacks/edge_attack.hpp"

#include "scenarios/edge_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {

NodeIndex OwnNodes::add(scenario::AddedFeatures features) const {
  switch (features) {
    case scenario::NODE_ZERO:
      return session_.add(session_.source(0));
    case scenario::TARGET:
      return session_.add(session_.source(session_.target()));
    case scenario::TYPICAL:
      return session_.add(session_.source(session_.network().typical()));
    case scenario::MEAN:
      return session_.add(session_.network().extra(ExtraInput::mean));
    case scenario::MEDIAN:
      return session_.add(session_.network().extra(ExtraInput::median));
    case scenario::ZERO:
      break;
  }
  return session_.add(session_.network().extra(ExtraInput::zero));
}

std::unique_ptr<EdgeAttack> make_edge_attack(const scenario::EdgeInference& config) {
  return PluginRegistry<EdgeAttack>::instance().create(config, "attack");
}

}  // namespace souk
