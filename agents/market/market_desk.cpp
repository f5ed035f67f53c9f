#include "agents/market/market_desk.hpp"

#include <algorithm>

#include "scenarios/market.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"

namespace souk {

MarketDesk::MarketDesk(const scenario::Market& config, std::vector<bool> malicious)
    : payment_(make_payment_rule(config)),
      budget_(to_micro(config.budget())),
      round_budget_(to_micro(config.round_budget())),
      per_flop_(config.costs().per_gflop() * 1e-9),
      per_byte_(config.costs().per_megabyte() * 1e-6),
      per_round_(config.costs().per_round()),
      metrics_(std::move(malicious)) {
  SOUK_REQUIRE(round_budget_ > 0 || !payment_->splits_a_sum(),
               "market.round_budget = 0: the payment shares out the budget of a round, and there is none");
}

MicroCredits MarketDesk::funds(std::size_t wanted, RoundRecord& record) {
  const MicroCredits most =
      payment_->splits_a_sum() ? round_budget_ : payment_->highest_price() * static_cast<MicroCredits>(wanted);
  const MicroCredits limit = round_budget_ > 0 ? std::min(most, round_budget_) : most;
  if (budget_ == 0) {
    ledger_.issue(account::buyer, std::max<MicroCredits>(0, limit - ledger_.balance(account::buyer)), record);
  } else if (ledger_.issued() == 0) {
    ledger_.issue(account::buyer, budget_, record);
  }
  return std::min(limit, ledger_.balance(account::buyer));
}

std::size_t MarketDesk::open_round(std::size_t wanted, RoundRecord& record) {
  const MicroCredits available = funds(wanted, record);
  std::size_t affordable = available > 0 ? wanted : 0;
  if (!payment_->splits_a_sum() && payment_->highest_price() > 0) {
    affordable = std::min(wanted, static_cast<std::size_t>(available / payment_->highest_price()));
  }
  if (affordable == 0) {
    record.events.push_back({"budget spent", -1, "the buyer cannot pay for another update"});
    return 0;
  }
  ledger_.transfer("escrow", account::buyer, account::market, available, record);
  return affordable;
}

void MarketDesk::settle(std::span<const Delivery> deliveries, RoundRecord& record) {
  std::vector<Purchase> bought;
  std::vector<SellerRound> sellers;
  for (const Delivery& delivery : deliveries) {
    const bool sold = delivery.weight > 0.0;
    sellers.push_back({delivery.seller, sold, 0, cost_of(delivery)});
    if (sold) bought.push_back({delivery.seller, delivery.weight, delivery.cosine});
  }
  const std::vector<MicroCredits> prices = payment_->pay(bought, ledger_.balance(account::market));
  SOUK_EXPECT(prices.size() == bought.size());
  auto price = prices.begin();
  for (SellerRound& seller : sellers) {
    if (!seller.bought) continue;
    seller.paid = *price++;
    ledger_.transfer("payment", account::market, seller.seller.value, seller.paid, record);
  }
  ledger_.transfer("refund", account::market, account::buyer, ledger_.balance(account::market), record);
  metrics_.note(sellers, record);
}

double MarketDesk::cost_of(const Delivery& delivery) const {
  return per_flop_ * delivery.flops + per_byte_ * delivery.bytes + per_round_;
}

void MarketDesk::serialize(Archive& archive) {
  ledger_.serialize(archive);
  metrics_.serialize(archive);
}

}  // namespace souk
