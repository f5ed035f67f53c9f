#include <algorithm>

#include "agents/market/payment.hpp"
#include "scenarios/market.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// p_i = B max(0, value_i) / sum over j of max(0, value_j); where no value is positive, nobody is paid.
class ContributionProportional final : public PaymentRule {
 public:
  explicit ContributionProportional(const scenario::ContributionProportional&) {}
  bool splits_a_sum() const override { return true; }
  bool needs_valuation() const override { return true; }
  std::vector<MicroCredits> pay(std::span<const Purchase> bought, MicroCredits available) const override {
    std::vector<double> shares;
    for (const Purchase& purchase : bought) shares.push_back(std::max(0.0, purchase.value));
    return split_exactly(available, shares);
  }
};

const Register<PaymentRule, ContributionProportional, scenario::ContributionProportional>
    register_contribution_proportional;

}  // namespace
}  // namespace souk
