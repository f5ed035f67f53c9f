#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/krum_scores.hpp"

namespace souk {
namespace {

/// Sun et al., "Can You Really Backdoor Federated Learning?", 2019, section 4 ((weak) differential privacy).
class WeakDp final : public Aggregator {
 public:
  explicit WeakDp(const scenario::WeakDp& config) : bound_(config.bound()), sigma_(config.sigma()) {}

  RulePreserves preserves() const override {
    return {.scale = false, .translation = false, .unanimity = false, .noise = sigma_ > 0.0};
  }

  RuleOutput aggregate(const RuleInput& input) override {
    RuleOutput output = clipped_mean_of(input, all_rows(input.updates.rows()), norms_of(input), bound_);
    add_noise(output.step, input, sigma_);
    return output;
  }

 private:
  double bound_, sigma_;
};

const Register<Aggregator, WeakDp, scenario::WeakDp> register_weak_dp;

}  // namespace
}  // namespace souk
