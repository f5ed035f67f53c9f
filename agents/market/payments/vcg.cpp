#include <algorithm>

#include "agents/market/auctions.hpp"
#include "agents/market/payment.hpp"
#include "scenarios/market.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Cong et al., "A VCG-based Fair Incentive Mechanism for Federated Learning", 2020, with worths that add up:
/// v_i = value max(0, cos(u_i, g)) with the buyer's own update g (auctions.hpp).
class VcgPayment final : public PaymentRule {
 public:
  explicit VcgPayment(const scenario::Vcg& config) : value_(config.value()), most_(config.most()) {}
  bool needs_cosine() const override { return true; }
  MicroCredits highest_price() const override { return to_micro(value_); }
  std::size_t most_bought() const override { return most_; }
  std::vector<std::optional<MicroCredits>> shortlist(std::span<const Offer> offers, MicroCredits) const override {
    std::vector<Bid> bids;
    for (const Offer& offer : offers) {
      bids.push_back({.ask = offer.ask, .worth = to_micro(value_ * std::clamp(offer.cosine, 0.0, 1.0))});
    }
    return vcg_auction(bids, most_);
  }
  std::vector<MicroCredits> pay(std::span<const Purchase> bought, MicroCredits) const override {
    std::vector<MicroCredits> prices;
    for (const Purchase& purchase : bought) prices.push_back(purchase.agreed);
    return prices;
  }

 private:
  double value_;
  std::size_t most_;
};

const Register<PaymentRule, VcgPayment, scenario::Vcg> register_vcg_payment;

}  // namespace
}  // namespace souk
