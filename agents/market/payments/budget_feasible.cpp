#include <algorithm>

#include "agents/market/auctions.hpp"
#include "agents/market/payment.hpp"
#include "scenarios/market.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Singer, "Budget Feasible Mechanisms", FOCS 2010, with worths that add up: v_i = max(0, cos(u_i, g)) with the buyer's
/// own update g, in millionths (auctions.hpp).
class BudgetFeasible final : public PaymentRule {
 public:
  explicit BudgetFeasible(const scenario::BudgetFeasible&) {}
  bool splits_a_sum() const override { return true; }
  bool needs_cosine() const override { return true; }
  std::vector<std::optional<MicroCredits>> shortlist(std::span<const Offer> offers,
                                                     MicroCredits available) const override {
    std::vector<Bid> bids;
    for (const Offer& offer : offers) {
      bids.push_back({.ask = offer.ask, .worth = to_micro(std::clamp(offer.cosine, 0.0, 1.0))});
    }
    return budget_feasible_auction(bids, available);
  }
  std::vector<MicroCredits> pay(std::span<const Purchase> bought, MicroCredits) const override {
    std::vector<MicroCredits> prices;
    for (const Purchase& purchase : bought) prices.push_back(purchase.agreed);
    return prices;
  }
};

const Register<PaymentRule, BudgetFeasible, scenario::BudgetFeasible> register_budget_feasible;

}  // namespace
}  // namespace souk
