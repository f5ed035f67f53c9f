#include "attacks/edge_attack.hpp"
#include "attacks/edge_changes.hpp"
#include "attacks/vector_distances.hpp"
#include "scenarios/edge_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

class InfluenceMagnitude final : public WatchTarget<scenario::InfluenceMagnitude, OwnNodes> {
 public:
  using WatchTarget::WatchTarget;

  std::size_t hops_apart() const override { return 3; }
  void check(const EdgeSetting&) override {
    SOUK_REQUIRE(config_.features() != scenario::ZERO, "inf_mag.features = ZERO: of nothing a multiple is nothing");
  }
  std::string without_effect(bool in_double) const override {
    return vanishing("inf_mag", config_.delta(), 1.0 + config_.delta(), in_double);
  }
  double infer(const View& view, NodeIndex candidate) override {
    const auto changes = influence_of_own_node(view, config_.features(), *beside_target_, candidate, config_.delta());
    if (!changes) return no_score;
    const double moved = norm(changes->at_target), reference = norm(changes->at_candidate);
    return config_.measure() == scenario::InfluenceMagnitude::RATIO && reference > 0.0 ? moved / reference : moved;
  }
};

const Register<EdgeAttack, InfluenceMagnitude, scenario::InfluenceMagnitude> register_influence_magnitude;

}  // namespace
}  // namespace souk
