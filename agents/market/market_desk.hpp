#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agents/market/arrears.hpp"
#include "agents/market/ledger.hpp"
#include "agents/market/market_metrics.hpp"
#include "agents/market/payment.hpp"

namespace souk::scenario {
class Market;
}

namespace souk {

/// What a buyer has to spend, and from which account.
struct BuyerTerms {
  std::int64_t account = account::buyer;
  MicroCredits budget = 0;        ///< in all; 0: no limit
  MicroCredits round_budget = 0;  ///< 0: no limit
  std::string path = "market";    ///< of the buyer's settings, for errors
};

/// An update that was delivered, and what became of it.
struct Delivery {
  AgentId seller;
  double weight = 0.0;               ///< that the rule gave it; 0: rejected, or useless
  bool denied = false;               ///< used, and rejected by the buyer's word: it earns nothing
  bool granted = false;              ///< not used, and bought by the buyer's word: it is paid
  double cosine = 0.0;               ///< with the buyer's own update, where needs_cosine()
  double cost = 0.0;                 ///< of the round to the seller, credits
  std::optional<double> value{};     ///< by the valuation
  std::optional<double> distance{};  ///< from the buyer's own update, Euclidean
  bool cheated = false;              ///< an audit found it used and unpaid
  double price_share = 1.0;          ///< of the price that it earns, for its noise
};

/// One buyer's money in a round: what it can afford goes into escrow, what it buys is paid from there, the rest goes
/// back. Replicated: every rank books the same.
class MarketDesk {
 public:
  /// Throws InputError where the payment needs a sum that the scenario does not give. `ledger` outlives it.
  MarketDesk(const scenario::Market& config, const BuyerTerms& terms, std::uint64_t seed, Ledger& ledger,
             std::vector<SellerFacts> sellers);
  const PaymentRule& payment() const { return *payment_; }
  /// Puts what `wanted` sellers may cost, and the buyer's deposit, into escrow, or as many of them as can be paid, and
  /// returns how many these are; 0: this buyer's market is over.
  std::size_t open_round(std::size_t wanted, RoundRecord& record);
  /// Which offers the rule sees, [offers]; prices agreed on are kept for the round.
  std::vector<bool> shortlist(std::span<const Offer> offers);
  /// Takes deposits, pays for what was bought, or owes it, and closes the escrow. Deliveries in ascending order of
  /// sellers. What is returned counts penalties and forfeited deposits as paid; the metrics do not. Collective.
  std::vector<SellerRound> settle(const Comm& comm, RoundIndex round, std::span<const Delivery> deliveries,
                                  RoundRecord& record);
  /// Whom the last settlement has paid for updates, ascending; empty: they wait for it.
  std::span<const Payout> paid_out() const { return paid_out_; }
  Arrears& arrears() { return arrears_; }
  /// Records what it cost to come this far, when the model first is this accurate on the test set.
  void note_quality(double quality, RoundRecord& record) { metrics_.note_quality(quality, record); }
  void serialize(Archive& archive);

 private:
  MicroCredits price_money_for(std::size_t wanted) const;
  void issue_money(MicroCredits needed, RoundRecord& record);
  std::vector<Purchase> purchases(std::span<const Delivery> deliveries) const;
  void add_noise(RoundIndex round, std::span<const Purchase> bought, std::vector<MicroCredits>& prices) const;
  std::vector<MicroCredits> take_deposits(std::span<const Delivery> deliveries, RoundRecord& record);
  void return_deposits(std::span<const Delivery> deliveries, const std::vector<MicroCredits>& deposits,
                       std::vector<SellerRound>& sellers, RoundRecord& record);
  void pay_penalties(std::span<const Delivery> deliveries, std::vector<SellerRound>& sellers, RoundRecord& record);
  void discount(std::span<const Delivery> deliveries, std::vector<MicroCredits>& prices, RoundRecord& record) const;
  void pay_from_escrow(const std::string& kind, AgentId seller, MicroCredits amount, RoundRecord& record);

  std::unique_ptr<PaymentRule> payment_;
  BuyerTerms terms_;
  double noise_;  ///< standard deviation, credits
  std::uint64_t seed_;
  Ledger& ledger_;
  MarketMetrics metrics_;
  Arrears arrears_;
  std::int64_t funded_ = 0;                          ///< 1: the limited budget has been issued
  MicroCredits escrow_ = 0;                          ///< of this buyer in this round, the deposit included
  MicroCredits deposit_ = 0;                         ///< the buyer's, part of the escrow
  std::vector<Offer> offers_;                        ///< of this round, ascending
  std::vector<std::optional<MicroCredits>> agreed_;  ///< of this round, one for each offer
  std::vector<Payout> paid_out_;                     ///< in this round
};

}  // namespace souk
