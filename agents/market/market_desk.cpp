#include "agents/market/market_desk.hpp"

#include <algorithm>
#include <numeric>

#include "scenarios/market.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

/// Of one buyer: what the schema lets it have, so that no sum overflows.
constexpr MicroCredits most_money = 1'000'000'000'000 * micro_per_credit;

MicroCredits sum_of_credits(const std::vector<MicroCredits>& amounts) {
  return std::accumulate(amounts.begin(), amounts.end(), MicroCredits{0});
}

/// Whether it is among what the payment has a price for.
bool is_priced(const Delivery& delivery) { return delivery.weight > 0.0 || delivery.granted; }

}  // namespace

MarketDesk::MarketDesk(const scenario::Market& config, const BuyerTerms& terms, std::uint64_t seed, Ledger& ledger,
                       std::vector<SellerFacts> sellers)
    : payment_(make_payment_rule(config)),
      terms_(terms),
      noise_(config.payment_noise()),
      seed_(seed),
      ledger_(ledger),
      metrics_(std::move(sellers)),
      arrears_(config.arrears(), terms.account, ledger) {
  SOUK_REQUIRE(terms_.round_budget > 0 || !payment_->splits_a_sum(),
               "{}.round_budget = 0: the payment shares out the budget of a round, and there is none", terms_.path);
}

/// Most that a round with so many sellers may cost.
MicroCredits MarketDesk::price_money_for(std::size_t wanted) const {
  if (payment_->splits_a_sum()) return terms_.round_budget;
  const std::size_t most = payment_->most_bought();
  const auto bought = static_cast<MicroCredits>(most > 0 ? std::min(most, wanted) : wanted);
  const MicroCredits price = payment_->highest_price();
  const MicroCredits needed = price > 0 && bought > most_money / price ? most_money : price * bought;
  return terms_.round_budget > 0 ? std::min(needed, terms_.round_budget) : needed;
}

void MarketDesk::issue_money(MicroCredits needed, RoundRecord& record) {
  if (terms_.budget == 0) {
    ledger_.issue(terms_.account, std::max<MicroCredits>(0, needed - ledger_.balance(terms_.account)), record);
  } else if (funded_ == 0) {
    ledger_.issue(terms_.account, terms_.budget, record);
    funded_ = 1;
  }
}

std::size_t MarketDesk::open_round(std::size_t wanted, RoundRecord& record) {
  offers_.clear();
  agreed_.clear();
  paid_out_.clear();
  const MicroCredits deposit = payment_->buyer_deposit(), needed = price_money_for(wanted);
  issue_money(needed + deposit, record);
  const MicroCredits available = std::min(needed, ledger_.balance(terms_.account) - deposit);
  const MicroCredits price = payment_->highest_price();
  const std::size_t most = payment_->most_bought();
  std::size_t affordable = wanted;
  if (available < 0 || (payment_->splits_a_sum() && available == 0)) {
    affordable = 0;
  } else if (price > 0) {
    const auto payable = static_cast<std::size_t>(available / price);
    if (most == 0 || payable < most) affordable = std::min(wanted, payable);
  }
  if (affordable == 0) {
    record.events.push_back({"budget spent", -1, "the buyer cannot pay for another update"});
    return 0;
  }
  escrow_ = available + deposit;
  deposit_ = deposit;
  ledger_.transfer("escrow", terms_.account, account::market, escrow_, record);
  return affordable;
}

std::vector<bool> MarketDesk::shortlist(std::span<const Offer> offers) {
  std::vector<std::size_t> order(offers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return offers[i].seller; });
  offers_.clear();
  for (const std::size_t i : order) offers_.push_back(offers[i]);
  agreed_ = payment_->shortlist(offers_, escrow_ - deposit_);
  SOUK_EXPECT(agreed_.size() == offers.size());
  std::vector<bool> seen(offers.size());
  for (std::size_t k = 0; k < order.size(); ++k) seen[order[k]] = agreed_[k].has_value();
  return seen;
}

/// What the buyer takes, at the prices agreed on. Contract: it takes nothing that is not on the shortlist.
std::vector<Purchase> MarketDesk::purchases(std::span<const Delivery> deliveries) const {
  std::size_t k = 0;
  std::vector<Purchase> bought;
  for (const Delivery& delivery : deliveries) {
    if (!is_priced(delivery)) continue;
    while (k < offers_.size() && offers_[k].seller < delivery.seller) ++k;
    const bool offered = k < offers_.size() && offers_[k].seller == delivery.seller;
    SOUK_EXPECT(!offered || agreed_[k].has_value());
    bought.push_back({.seller = delivery.seller,
                      .weight = delivery.weight,
                      .cosine = delivery.cosine,
                      .value = delivery.value.value_or(0.0),
                      .agreed = offered ? *agreed_[k] : 0});
  }
  return bought;
}

/// Prices stay between 0 and the highest; where they come to more than the sum that there is, all give way in
/// proportion.
void MarketDesk::add_noise(RoundIndex round, std::span<const Purchase> bought,
                           std::vector<MicroCredits>& prices) const {
  if (noise_ == 0.0) return;
  const MicroCredits available = escrow_ - deposit_;
  const MicroCredits highest = payment_->splits_a_sum() ? available : payment_->highest_price();
  const auto buyer = static_cast<std::uint16_t>(account::buyer - terms_.account);
  std::vector<double> noisy;
  for (std::size_t i = 0; i < bought.size(); ++i) {
    Stream random(seed_, streams::payment_noise(bought[i].seller, buyer, round));
    noisy.push_back(std::clamp(to_credits(prices[i]) + noise_ * random.normal(), 0.0, to_credits(highest)));
    prices[i] = std::min(to_micro(noisy.back()), highest);
  }
  if (sum_of_credits(prices) > available) prices = split_exactly(available, noisy);
}

/// Updates of grades that earn less: what they do not earn stays with the buyer.
void MarketDesk::discount(std::span<const Delivery> deliveries, std::vector<MicroCredits>& prices,
                          RoundRecord& record) const {
  MicroCredits saved = 0;
  bool graded = false;
  auto price = prices.begin();
  for (const Delivery& delivery : deliveries) {
    if (!is_priced(delivery)) continue;
    MicroCredits& full = *price++;
    if (delivery.price_share >= 1.0) continue;
    graded = true;
    const MicroCredits share = std::min(full, to_micro(delivery.price_share * to_credits(full)));
    if (!delivery.denied) saved += full - share;
    full = share;
  }
  if (graded) record.add("saved_by_noise", to_credits(saved));
}

void MarketDesk::pay_from_escrow(const std::string& kind, AgentId seller, MicroCredits amount, RoundRecord& record) {
  SOUK_EXPECT(amount <= escrow_);
  escrow_ -= amount;
  ledger_.transfer(kind, account::market, seller.value, amount, record);
}

/// A seller that another buyer's verdict has left with less puts aside what it has.
std::vector<MicroCredits> MarketDesk::take_deposits(std::span<const Delivery> deliveries, RoundRecord& record) {
  std::vector<MicroCredits> deposits;
  for (const Delivery& delivery : deliveries) {
    deposits.push_back(std::min(payment_->seller_deposit(), ledger_.balance(delivery.seller.value)));
    ledger_.transfer("deposit", delivery.seller.value, account::market, deposits.back(), record);
    escrow_ += deposits.back();
  }
  return deposits;
}

void MarketDesk::return_deposits(std::span<const Delivery> deliveries, const std::vector<MicroCredits>& deposits,
                                 std::vector<SellerRound>& sellers, RoundRecord& record) {
  for (std::size_t i = 0; i < deliveries.size(); ++i) {
    if (sellers[i].bought || deliveries[i].cheated) {
      pay_from_escrow("deposit back", sellers[i].seller, deposits[i], record);
      continue;
    }
    escrow_ -= deposits[i];
    ledger_.transfer("forfeit", account::market, terms_.account, deposits[i], record);
    sellers[i].paid -= deposits[i];
  }
}

void MarketDesk::pay_penalties(std::span<const Delivery> deliveries, std::vector<SellerRound>& sellers,
                               RoundRecord& record) {
  std::vector<double> cheated;
  for (const Delivery& delivery : deliveries) cheated.push_back(delivery.cheated ? 1.0 : 0.0);
  const std::vector<MicroCredits> penalties = split_exactly(deposit_, cheated);
  for (std::size_t i = 0; i < sellers.size(); ++i) {
    pay_from_escrow("penalty", sellers[i].seller, penalties[i], record);
    sellers[i].paid += penalties[i];
  }
}

std::vector<SellerRound> MarketDesk::settle(const Comm& comm, RoundIndex round, std::span<const Delivery> deliveries,
                                            RoundRecord& record) {
  SOUK_EXPECT(std::ranges::is_sorted(deliveries, {}, &Delivery::seller));
  const std::vector<Purchase> bought = purchases(deliveries);
  std::vector<MicroCredits> prices = payment_->pay_together(comm, bought, escrow_ - deposit_);
  SOUK_EXPECT(prices.size() == bought.size());
  add_noise(round, bought, prices);
  SOUK_EXPECT(sum_of_credits(prices) <= escrow_ - deposit_);
  discount(deliveries, prices, record);
  const std::vector<MicroCredits> deposits = take_deposits(deliveries, record);
  std::vector<SellerRound> sellers;
  auto price = prices.begin();
  for (const Delivery& delivery : deliveries) {
    // What is denied has its part in the prices of the others, and keeps it from nobody but its seller.
    const MicroCredits worth = is_priced(delivery) ? *price++ : 0;
    const bool sold = is_priced(delivery) && !delivery.denied;
    const MicroCredits paid = sold ? worth : 0;
    sellers.push_back({delivery.seller, sold, paid, delivery.cost, delivery.value, delivery.distance, paid,
                       sold ? delivery.weight : 0.0});
    SOUK_EXPECT(paid <= escrow_);
    escrow_ -= paid;
    arrears_.owe(delivery.seller, paid);
  }
  if (arrears_.due(round)) paid_out_ = arrears_.pay(record);
  metrics_.note(sellers, record);
  return_deposits(deliveries, deposits, sellers, record);
  pay_penalties(deliveries, sellers, record);
  ledger_.transfer("refund", account::market, terms_.account, escrow_, record);
  escrow_ = 0;
  deposit_ = 0;
  return sellers;
}

void MarketDesk::serialize(Archive& archive) {
  archive.field("funded", funded_);
  metrics_.serialize(archive);
  arrears_.serialize(archive);
}

}  // namespace souk
