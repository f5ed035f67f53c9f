#include "attacks/edge_attack.hpp"
#include "attacks/edge_changes.hpp"
#include "attacks/vector_distances.hpp"
#include "scenarios/edge_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

class InfluenceDirection final : public WatchTarget<scenario::InfluenceDirection, OwnNodes> {
 public:
  using WatchTarget::WatchTarget;

  std::size_t hops_apart() const override { return 3; }
  void check(const EdgeSetting&) override {
    SOUK_REQUIRE(config_.features() != scenario::ZERO, "inf_dir.features = ZERO: of nothing a multiple is nothing");
  }
  std::string without_effect(bool in_double) const override {
    return vanishing("inf_dir", config_.delta(), 1.0 + config_.delta(), in_double);
  }
  double infer(const View& view, NodeIndex candidate) override {
    const auto changes = influence_of_own_node(view, config_.features(), *beside_target_, candidate, config_.delta());
    if (!changes) return no_score;
    const auto apart = distance(config_.distance(), changes->at_target, changes->at_candidate);
    return apart ? -*apart : lowest_score;
  }
};

const Register<EdgeAttack, InfluenceDirection, scenario::InfluenceDirection> register_influence_direction;

}  // namespace
}  // namespace souk
