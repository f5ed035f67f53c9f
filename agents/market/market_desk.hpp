#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "agents/market/ledger.hpp"
#include "agents/market/market_metrics.hpp"
#include "agents/market/payment.hpp"

namespace souk::scenario {
class Market;
}

namespace souk {

/// An update that was delivered, and what the rule made of it.
struct Delivery {
  AgentId seller;
  double weight = 0.0;  ///< 0: not bought
  double cosine = 0.0;  ///< with the buyer's own update, where needs_cosine()
  double flops = 0.0;
  double bytes = 0.0;  ///< model received and update sent
};

/// The market's part in a round: what the buyer can afford goes into escrow, what it buys is paid from there, the rest
/// goes back. Replicated: every rank books the same.
class MarketDesk {
 public:
  /// Throws InputError where the payment needs a sum that the scenario does not give.
  MarketDesk(const scenario::Market& config, std::vector<bool> malicious);
  bool needs_cosine() const { return payment_->needs_cosine(); }
  /// Puts what `wanted` sellers may cost into escrow, or as many of them as can be paid, and returns how many these
  /// are; 0: the market is over.
  std::size_t open_round(std::size_t wanted, RoundRecord& record);
  /// Pays for what was bought and closes the escrow.
  void settle(std::span<const Delivery> deliveries, RoundRecord& record);
  void note_accuracy(double accuracy, RoundRecord& record) { metrics_.note_accuracy(accuracy, record); }
  const Ledger& ledger() const { return ledger_; }
  void serialize(Archive& archive);

 private:
  /// What the buyer can spend in this round, after new money where its budget has no limit.
  MicroCredits funds(std::size_t wanted, RoundRecord& record);
  double cost_of(const Delivery& delivery) const;

  std::unique_ptr<PaymentRule> payment_;
  MicroCredits budget_, round_budget_;  ///< 0: no limit
  double per_flop_, per_byte_, per_round_;
  Ledger ledger_;
  MarketMetrics metrics_;
};

}  // namespace souk
