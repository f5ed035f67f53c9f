#include <array>
#include <cmath>

#include "attacks/edge_attack.hpp"
#include "attacks/edge_changes.hpp"
#include "attacks/vector_distances.hpp"
#include "scenarios/edge_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// The target's features are not the attacker's: whoever perturbs them needs the right to.
class RepeatedInfluence final : public WatchTarget<scenario::RepeatedInfluence, OwnNodes, AnyFeatures> {
 public:
  using WatchTarget::WatchTarget;

  Rights needs() const override { return perturbs_target() ? WatchTarget::needs() : OwnNodes::rights; }
  std::size_t hops_apart() const override { return perturbs_target() ? 1 : 3; }
  void check(const EdgeSetting&) override {
    SOUK_REQUIRE(perturbs_target() || config_.features() != scenario::ZERO,
                 "inf_dir_star.features = ZERO: of nothing a multiple is nothing");
  }
  std::string without_effect(bool in_double) const override {
    const double all = 1.0 + config_.delta() == 1.0 ? 1.0 : std::pow(1.0 + config_.delta(), config_.times());
    return vanishing("inf_dir_star", config_.delta(), all, in_double);
  }
  std::size_t ticks() const override { return config_.times(); }
  double infer(const View& view, NodeIndex candidate) override {
    const auto first = add_beside(view, config_.features(), candidate);
    const auto second = add_beside(view, config_.features(), candidate);
    if (!first || !second) return no_score;
    const std::array watched{*beside_target_, *first, *second};
    const std::vector<double> before = view.read_own(watched);
    ChangeSeries series;
    for (std::uint32_t tick = 0; tick < config_.times(); ++tick) {
      if (perturbs_target()) {
        view.scale_any(target_, 1.0 + config_.delta());
      } else {
        view.scale_own(*first, 1.0 + config_.delta());
      }
      view.wait();
      series.append(before, view.read_own(watched), view.classes(), 0, perturbs_target() ? 1 : 2);
    }
    const auto apart = distance(config_.distance(), series.first, series.second);
    return apart ? 1.0 - *apart : lowest_score;
  }

 private:
  bool perturbs_target() const { return config_.perturbed() == scenario::RepeatedInfluence::TARGET_NODE; }
};

const Register<EdgeAttack, RepeatedInfluence, scenario::RepeatedInfluence> register_repeated_influence;

}  // namespace
}  // namespace souk
