#include <cmath>

#include "attacks/buyer_attack.hpp"
#include "attacks/buyer_tools.hpp"
#include "scenarios/buyer_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

/// Normal noise of the honest baseline's length: a direction by chance.
class BuyerErosion final : public BuyerAttack {
 public:
  explicit BuyerErosion(const scenario::BuyerErosion&) {}
  ColumnVector baseline(const BaselineView& view) const override {
    ColumnVector noise = normal_noise(view);
    const double honest = squared_norm(view.comm, view.updates.plan(), view.honest);
    const double drawn = squared_norm(view.comm, view.updates.plan(), noise);
    const double factor = drawn > 0.0 ? std::sqrt(honest / drawn) : 0.0;
    for (float& value : noise.values()) value = static_cast<float>(factor * static_cast<double>(value));
    return noise;
  }
};

const Register<BuyerAttack, BuyerErosion, scenario::BuyerErosion> register_buyer_erosion;

}  // namespace
}  // namespace souk
