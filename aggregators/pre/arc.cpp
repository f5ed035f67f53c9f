#include <algorithm>
#include <functional>

#include "aggregators/pre/pre_aggregator.hpp"
#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Allouah et al., "Adaptive Gradient Clipping for Robust Federated Learning", ICLR 2025, Algorithm 2.
class AdaptiveClipping final : public PreAggregator {
 public:
  explicit AdaptiveClipping(const scenario::Arc& config) : f_("pre.arc", config.f(), 2, 1) {}

  bool needs_tolerated_f() const override { return f_.from_scenario(); }
  RulePreserves preserves() const override { return {.scale = true, .translation = false, .unanimity = true}; }
  RoundSize check(const RoundSize& round) const override {
    f_.check(round);
    return round;
  }

  std::vector<double> mix(const PreInput& input) const override {
    const std::size_t n = input.updates();
    const std::size_t f = f_.of(n, input.tolerated_f, input.log);
    std::vector<double> norms;
    for (std::size_t i = 0; i < n; ++i) norms.push_back(input.norm(i));
    std::sort(norms.begin(), norms.end(), std::greater<>());
    return clipped_to(input, norms[2 * f * (n - f) / n]);
  }

 private:
  ToleratedF f_;
};

const Register<PreAggregator, AdaptiveClipping, scenario::Arc> register_adaptive_clipping;

}  // namespace
}  // namespace souk
