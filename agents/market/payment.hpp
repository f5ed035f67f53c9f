#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "agents/market/ledger.hpp"
#include "sim/base/ids.hpp"

namespace souk::scenario {
class Market;
}

namespace souk {

class Comm;

/// An update that was delivered, before anybody decides about it.
struct Offer {
  AgentId seller;
  MicroCredits ask = 0;
  double cosine = 0.0;  ///< with the buyer's own update; 0 where the payment does not ask for it
};

/// An update that the buyer takes.
struct Purchase {
  AgentId seller;
  double weight = 0.0;      ///< share in the step, above 0
  double cosine = 0.0;      ///< as in its offer
  double value = 0.0;       ///< by the valuation; 0 where there is none
  MicroCredits agreed = 0;  ///< as shortlist() said
};

/// What is paid for the updates that a round buys. One file each; chosen in Market.payment.
class PaymentRule {
 public:
  virtual ~PaymentRule() = default;
  /// Whether a sum is shared out, that of market.round_budget; otherwise every update has a price of its own.
  virtual bool splits_a_sum() const { return false; }
  /// Whether offers must know their cosine, for which the buyer trains an update of its own.
  virtual bool needs_cosine() const { return false; }
  /// Whether purchases must know their value.
  virtual bool needs_valuation() const { return false; }
  /// Most that one update can cost; 0 for those that split a sum, or pay nothing.
  virtual MicroCredits highest_price() const { return 0; }
  /// A price that sellers know before they decide to take part.
  virtual std::optional<MicroCredits> posted_price() const { return std::nullopt; }
  /// Most updates bought in a round; 0: any number.
  virtual std::size_t most_bought() const { return 0; }
  /// What buyer and seller put aside in every round.
  virtual MicroCredits buyer_deposit() const { return 0; }
  virtual MicroCredits seller_deposit() const { return 0; }
  /// Decided before the rule sees the updates: which of them it sees, and the price agreed on should it accept them;
  /// null: not this one.
  virtual std::vector<std::optional<MicroCredits>> shortlist(std::span<const Offer> offers,
                                                             MicroCredits /*available*/) const {
    return std::vector<std::optional<MicroCredits>>(offers.size(), MicroCredits{0});
  }
  /// What each purchase earns, in order; no more than `available` in all, which is at least highest_price() for each.
  virtual std::vector<MicroCredits> pay(std::span<const Purchase> bought, MicroCredits available) const = 0;
  /// The same where nothing but one rank's word makes all say the same, as of a function of the user's own. Collective.
  virtual std::vector<MicroCredits> pay_together(const Comm&, std::span<const Purchase> bought,
                                                 MicroCredits available) const {
    return pay(bought, available);
  }
};

/// The rule chosen in the scenario.
std::unique_ptr<PaymentRule> make_payment_rule(const scenario::Market& market);

}  // namespace souk
