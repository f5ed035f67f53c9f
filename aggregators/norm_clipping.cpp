#include <algorithm>

#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/krum_scores.hpp"

namespace souk {
namespace {

/// Sun et al., "Can You Really Backdoor Federated Learning?", 2019, section 4 (norm thresholding).
class NormClipping final : public Aggregator {
 public:
  explicit NormClipping(const scenario::NormClipping& config) : bound_(config.bound()) {}

  RulePreserves preserves() const override { return {.scale = false, .translation = false, .unanimity = false}; }

  std::optional<double> sensitivity(double bound) const override { return std::min(bound, bound_); }

  RuleOutput aggregate(const RuleInput& input) override {
    return clipped_mean_of(input, all_rows(input.updates.rows()), norms_of(input), bound_);
  }

 private:
  double bound_;
};

const Register<Aggregator, NormClipping, scenario::NormClipping> register_norm_clipping;

}  // namespace
}  // namespace souk
