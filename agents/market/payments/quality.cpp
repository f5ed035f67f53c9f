#include <algorithm>

#include "agents/market/payment.hpp"
#include "scenarios/market.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// p_i = base + bonus max(0, cos(u_i, g)) with the buyer's own update g.
class QualityPrice final : public PaymentRule {
 public:
  explicit QualityPrice(const scenario::Quality& config)
      : base_(to_micro(config.base())), bonus_(to_micro(config.bonus())) {}
  bool needs_cosine() const override { return true; }
  MicroCredits highest_price() const override { return base_ + bonus_; }
  std::vector<MicroCredits> pay(std::span<const Purchase> bought, MicroCredits) const override {
    std::vector<MicroCredits> prices;
    for (const Purchase& purchase : bought) {
      const double cosine = std::clamp(purchase.cosine, 0.0, 1.0);
      prices.push_back(base_ + to_micro(to_credits(bonus_) * cosine));
    }
    return prices;
  }

 private:
  MicroCredits base_, bonus_;
};

const Register<PaymentRule, QualityPrice, scenario::Quality> register_quality_price;

}  // namespace
}  // namespace souk
