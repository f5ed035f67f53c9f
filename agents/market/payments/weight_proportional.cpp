#include "agents/market/payment.hpp"
#include "scenarios/market.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Li, Liu, Li, Xu, "martFL", CCS 2023, Algorithm 2: p_i = B K_i / sum of K, with the weights K of the aggregation.
class WeightProportional final : public PaymentRule {
 public:
  explicit WeightProportional(const scenario::WeightProportional&) {}
  bool splits_a_sum() const override { return true; }
  std::vector<MicroCredits> pay(std::span<const Purchase> bought, MicroCredits available) const override {
    std::vector<double> weights;
    for (const Purchase& purchase : bought) weights.push_back(purchase.weight);
    return split_exactly(available, weights);
  }
};

const Register<PaymentRule, WeightProportional, scenario::WeightProportional> register_weight_proportional;

}  // namespace
}  // namespace souk
