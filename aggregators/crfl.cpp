#include <algorithm>
#include <cmath>

#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Xie, Chen, Chen, Li, "CRFL: Certifiably Robust Federated Learning against Backdoor Attacks", ICML 2021, Algorithm 1:
/// the parameters after the mean step are clipped and smoothed; the step returned leads there. The bound grows from
/// round to round as in the authors' code.
class Crfl final : public Aggregator {
 public:
  explicit Crfl(const scenario::Crfl& config)
      : rho_(config.rho()), growth_(config.rho_growth()), start_(config.rho_start()), sigma_(config.sigma()) {}

  RulePreserves preserves() const override {
    return {.scale = false, .translation = false, .unanimity = false, .noise = sigma_ > 0.0};
  }

  RuleFootprint footprint(const RuleScale& scale) const override { return {.working = 2.0 * scale.vector()}; }

  RuleOutput aggregate(const RuleInput& input) override {
    RuleOutput output = weighted_sum(input, sample_shares(input.submissions));
    const std::span<float> step = output.step.values();
    ColumnVector moved = output.step;
    for (std::size_t c = 0; c < step.size(); ++c) moved.values()[c] += at_start(input, c);
    const double norm = std::sqrt(squared_norm(input.comm, input.updates.plan(), moved));
    const double bound = std::min(rho_, growth_ * static_cast<double>(input.round.value) + start_);
    const double factor = clip_factor(norm, bound);
    for (std::size_t c = 0; c < step.size(); ++c) {
      const double clipped = factor * static_cast<double>(moved.values()[c]);
      step[c] = static_cast<float>(clipped - static_cast<double>(at_start(input, c)));
    }
    add_noise(output.step, input, sigma_);
    output.diagnostics["parameter_norm"] = norm;
    output.diagnostics["rho"] = bound;
    return output;
  }

 private:
  static float at_start(const RuleInput& input, std::size_t c) {
    return input.global == nullptr ? 0.0F : input.global->values()[c];
  }
  double rho_, growth_, start_, sigma_;
};

const Register<Aggregator, Crfl, scenario::Crfl> register_crfl;

}  // namespace
}  // namespace souk
