#include <cmath>

#include "attacks/update_attack.hpp"
#include "attacks/update_tools.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

/// Bagdasaryan et al., "How To Backdoor Federated Learning", AISTATS 2020, equation 3 (model replacement) and
/// train-and-scale. Without a size: n / (m server_rate), with which the members' mean replaces the global model once
/// honest updates cancel.
class ScalingAttack final : public CraftWith<Own> {
 public:
  explicit ScalingAttack(const scenario::Scaling& config)
      : factor_(config.has_factor() ? config.factor() : 0.0), norm_(config.has_norm() ? config.norm() : 0.0) {}

  void check() const override { SOUK_REQUIRE(factor_ != 1.0, "scaling.factor = 1: changes nothing"); }

  Crafted craft(const View<Own>& view) override {
    const auto factor = static_cast<float>(factor_of(view));
    return {map_values(view.comm, view.honest, [factor](float value) { return factor * value; })};
  }

 private:
  double factor_of(const View<Own>& view) const {
    if (factor_ > 0.0) return factor_;
    if (norm_ > 0.0) {
      const double own = std::sqrt(squared_norms(view.comm, view.honest).front());
      return own > 0.0 ? norm_ / own : 0.0;
    }
    return static_cast<double>(view.updates) / (static_cast<double>(view.malicious) * view.server_rate);
  }

  double factor_, norm_;
};

const Register<UpdateAttack, ScalingAttack, scenario::Scaling> register_scaling;

}  // namespace
}  // namespace souk
