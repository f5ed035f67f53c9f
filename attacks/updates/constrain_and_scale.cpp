#include <algorithm>
#include <cmath>

#include "attacks/update_attack.hpp"
#include "attacks/update_tools.hpp"
#include "scenarios/update_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/linear.hpp"

namespace souk {
namespace {

/// Bagdasaryan et al., "How To Backdoor Federated Learning", AISTATS 2020, section 4.3: the loss of anomaly is half the
/// squared distance to the global model.
class ConstrainAndScale final : public CraftWith<Pool, Laboratory> {
 public:
  explicit ConstrainAndScale(const scenario::ConstrainAndScale& config) : config_(config) {}

  bool needs_poison() const override { return true; }

  Crafted craft(const View<Pool, Laboratory>& view) override {
    const auto alpha = static_cast<float>(config_.alpha());
    const ColumnMatrix trained = view.lab.train(
        view.members, {.rate_factor = config_.rate_factor(),
                       .epochs = config_.epochs(),
                       .before_step = [alpha](std::size_t, const LabStep& at, std::span<float> gradient) {
                         for (std::size_t v = 0; v < gradient.size(); ++v) {
                           const float distance = at.parameters[v] - at.global[v];
                           gradient[v] = alpha * gradient[v] + (1.0F - alpha) * distance;
                         }
                       }});
    const double gamma = config_.gamma() > 0.0 ? config_.gamma()
                                               : static_cast<double>(view.updates) /
                                                     (static_cast<double>(view.malicious) * view.server_rate);
    std::vector<double> factors(trained.rows(), gamma);
    if (config_.norm() > 0.0) {
      const std::vector<double> squares = squared_norms(view.comm, trained);
      for (std::size_t i = 0; i < factors.size(); ++i) {
        if (squares[i] > 0.0) factors[i] = std::min(gamma, config_.norm() / std::sqrt(squares[i]));
      }
    }
    return {scale_rows(view.comm, trained, factors), {{"gamma", gamma}}};
  }

 private:
  scenario::ConstrainAndScale config_;
};

const Register<UpdateAttack, ConstrainAndScale, scenario::ConstrainAndScale> register_constrain_and_scale;

}  // namespace
}  // namespace souk
