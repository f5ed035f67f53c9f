#pragma once

#include <memory>
#include <span>
#include <vector>

#include "agents/market/ledger.hpp"
#include "sim/base/ids.hpp"

namespace souk::scenario {
class Market;
}

namespace souk {

/// An update that the buyer takes.
struct Purchase {
  AgentId seller;
  double weight = 0.0;  ///< share in the step, above 0
  double cosine = 0.0;  ///< with the buyer's own update; 0 where the rule does not ask for it
};

/// What is paid for the updates that a round buys. One file each; chosen in Market.payment.
class PaymentRule {
 public:
  virtual ~PaymentRule() = default;
  /// Whether a sum is shared out, that of market.round_budget; otherwise every update has a price of its own.
  virtual bool splits_a_sum() const { return false; }
  /// Whether purchases must know their cosine, for which the buyer trains an update of its own.
  virtual bool needs_cosine() const { return false; }
  /// Most that one update can cost; 0 for those that split a sum.
  virtual MicroCredits highest_price() const { return 0; }
  /// What each purchase earns, in order; no more than `available` in all, which is at least highest_price() for each.
  virtual std::vector<MicroCredits> pay(std::span<const Purchase> bought, MicroCredits available) const = 0;
};

/// The rule chosen in the scenario.
std::unique_ptr<PaymentRule> make_payment_rule(const scenario::Market& market);

}  // namespace souk
