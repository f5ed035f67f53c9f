#include <array>

#include "attacks/edge_attack.hpp"
#include "attacks/edge_changes.hpp"
#include "attacks/vector_distances.hpp"
#include "scenarios/edge_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

class PassiveObservation final : public WatchTarget<scenario::PassiveObservation, OwnNodes> {
 public:
  using WatchTarget::WatchTarget;

  std::size_t ticks() const override { return config_.times(); }
  double infer(const View& view, NodeIndex candidate) override {
    const auto beside_candidate = add_beside(view, config_.features(), candidate);
    if (!beside_candidate) return no_score;
    const std::array watched{*beside_target_, *beside_candidate};
    const std::vector<double> before = view.read_own(watched);
    ChangeSeries series;
    for (std::uint32_t tick = 0; tick < config_.times(); ++tick) {
      view.wait();
      series.append(before, view.read_own(watched), view.classes(), 0, 1);
    }
    const auto apart = distance(config_.distance(), series.first, series.second);
    return apart ? 1.0 - *apart : lowest_score;
  }
};

const Register<EdgeAttack, PassiveObservation, scenario::PassiveObservation> register_passive_observation;

}  // namespace
}  // namespace souk
