#include "agents/market/sellers.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "scenarios/market.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

/// Weight of what a buyer paid before against what it paid in the last round.
constexpr double income_memory = 0.9;
/// Dearer updates are refused and asks are cut, so that sums of money never overflow.
constexpr double most_credits = 1e9;

/// exp(sigma Z), one for each seller: log-normal with median 1.
std::vector<double> log_normal_factors(double sigma, std::uint64_t seed, std::size_t sellers, std::uint16_t factor) {
  std::vector<double> factors(sellers, 1.0);
  for (std::uint32_t id = 0; sigma > 0.0 && id < sellers; ++id) {
    Stream random(seed, streams::seller_factor(id, factor));
    factors[id] = std::exp(sigma * random.normal());
  }
  return factors;
}

}  // namespace

Sellers::Sellers(const scenario::Market& config, std::uint64_t seed, std::size_t sellers, std::size_t buyers)
    : config_(std::make_unique<scenario::Market>(config)),
      seed_(seed),
      buyers_(buyers),
      cost_factors_(log_normal_factors(config.costs().sigma(), seed, sellers, 0)),
      in_market_(sellers, 1),
      present_(sellers, 1),
      contented_(sellers, 1),
      reputation_(sellers, 1.0),
      ask_factors_(sellers, config.sellers().adaptive_ask().start()),
      mean_incomes_(sellers * buyers, 0.0),
      tried_(sellers * buyers, 0),
      choices_(sellers, 0),
      balances_(sellers),
      received_(buyers, false) {
  SOUK_EXPECT(buyers > 0);
  const scenario::FixedAsk& fixed = config.sellers().fixed_ask();
  if (config.sellers().has_fixed_ask()) {
    fixed_asks_ = log_normal_factors(fixed.sigma(), seed, sellers, 1);
    for (double& ask : fixed_asks_) ask *= fixed.ask();
  }
}

Sellers::~Sellers() = default;

void Sellers::begin_round(RoundIndex round, RoundRecord& record) {
  const bool first = round.value == 1;
  if (first && config_->sellers().has_churn()) open_with_share_present();
  std::size_t changes = 0;
  for (std::uint32_t id = 0; id < present_.size(); ++id) {
    if (!first && config_->sellers().has_churn()) in_market_[id] = stays_or_arrives(id, round) ? 1 : 0;
    const std::int64_t present = takes_part(id, round) ? 1 : 0;
    if (present != present_[id]) ++changes;
    present_[id] = present;
    if (config_->sale() == scenario::Market::EXCLUSIVE) choices_[id] = choose_buyer(id);
  }
  const auto there = std::accumulate(present_.begin(), present_.end(), std::int64_t{0});
  record.add("sellers_present", static_cast<double>(there));
  if (!first) record.add("churn", static_cast<double>(changes) / static_cast<double>(present_.size()));
}

/// Exactly this share, rounded to nearest; which sellers is drawn.
void Sellers::open_with_share_present() {
  std::vector<std::uint32_t> order(in_market_.size());
  std::iota(order.begin(), order.end(), 0U);
  Stream random(seed_, streams::first_sellers());
  random.shuffle(order);
  const double share = config_->sellers().churn().present();
  const auto there = static_cast<std::size_t>(std::llround(share * static_cast<double>(order.size())));
  for (std::size_t k = 0; k < order.size(); ++k) in_market_[order[k]] = k < there ? 1 : 0;
}

bool Sellers::stays_or_arrives(std::uint32_t seller, RoundIndex round) const {
  const scenario::Churn& churn = config_->sellers().churn();
  Stream random(seed_, streams::participation(seller, round));
  const double draw = random.uniform();
  return in_market_[seller] == 1 ? draw >= churn.departure() : draw < churn.arrival();
}

bool Sellers::takes_part(std::uint32_t seller, RoundIndex round) const {
  if (in_market_[seller] == 0 || reputation_[seller] < config_->sellers().min_reputation()) return false;
  if (contented_[seller] == 1) return true;
  Stream random(seed_, streams::participation(seller, round));
  return random.uniform() < config_->sellers().rational().retry();
}

/// Those it has not tried first, in an order of its own, then the one that has paid it best; ties in that order.
std::size_t Sellers::choose_buyer(std::uint32_t seller) const {
  std::vector<std::uint32_t> order(buyers_);
  std::iota(order.begin(), order.end(), 0U);
  Stream random(seed_, streams::preferred_buyers(seller));
  random.shuffle(order);
  return *std::ranges::min_element(order, [&](std::size_t a, std::size_t b) { return prefers(seller, a, b); });
}

bool Sellers::prefers(std::size_t seller, std::size_t buyer, std::size_t other) const {
  const std::size_t first = seller * buyers_ + buyer, second = seller * buyers_ + other;
  if (tried_[first] != tried_[second]) return tried_[first] == 0;
  return tried_[first] == 1 && mean_incomes_[first] > mean_incomes_[second];
}

bool Sellers::offers_to(AgentId seller, std::size_t buyer, double cost,
                        std::optional<MicroCredits> posted_price) const {
  SOUK_EXPECT(buyer < buyers_);
  if (present_[seller.value] == 0) return false;
  if (config_->sale() == scenario::Market::EXCLUSIVE && choices_[seller.value] != buyer) return false;
  return !posted_price || ask(seller, cost) <= *posted_price;
}

double Sellers::cost(AgentId seller, const SellerWork& work) const {
  const scenario::Costs& costs = config_->costs();
  const double cost = cost_factors_[seller.value] *
                      (costs.per_gflop() * work.flops * 1e-9 + costs.per_megabyte() * work.bytes * 1e-6 +
                       costs.per_round() + costs.per_thousand_samples() * work.samples * 1e-3 +
                       costs.per_epsilon() * work.epsilon + (work.unbounded ? costs.without_noise() : 0.0));
  SOUK_REQUIRE(cost <= most_credits, "market.costs: a round costs seller {} {} credits, and a billion is the most",
               seller.value, cost);
  return cost;
}

MicroCredits Sellers::ask(AgentId seller, double cost) const {
  double credits = 0.0;
  if (!fixed_asks_.empty()) {
    credits = fixed_asks_[seller.value];
  } else if (config_->sellers().has_adaptive_ask()) {
    credits = cost * ask_factors_[seller.value];
  } else {
    credits = cost * (1.0 + config_->sellers().cost_plus().margin());
  }
  return to_micro(std::min(credits, most_credits));
}

void Sellers::note(std::size_t buyer, std::span<const SellerRound> outcomes) {
  SOUK_EXPECT(buyer < buyers_);
  if (!outcomes.empty()) received_[buyer] = true;
  for (const SellerRound& outcome : outcomes) {
    const std::size_t id = outcome.seller.value;
    const MicroCredits cost = to_micro(outcome.cost);
    Balance& balance = balances_[id];
    balance.delivered = true;
    balance.sold = balance.sold || outcome.bought;
    balance.income += outcome.paid;
    balance.cost += cost;
    asked_ += to_credits(ask(outcome.seller, outcome.cost));
    ++asks_;
    note_income(id, buyer, to_credits(outcome.paid - cost));
  }
}

void Sellers::note_income(std::size_t seller, std::size_t buyer, double net) {
  const std::size_t place = seller * buyers_ + buyer;
  double& mean = mean_incomes_[place];
  mean = tried_[place] == 1 ? income_memory * mean + (1.0 - income_memory) * net : net;
  tried_[place] = 1;
}

void Sellers::end_round(RoundRecord& record) {
  const double floor = config_->sellers().min_reputation();
  for (std::size_t id = 0; id < balances_.size(); ++id) {
    end_round_of(id);
    // Whoever waits for a buyer that takes nothing, its money being spent, say, learns that there is nothing to earn.
    const bool chose = config_->sale() == scenario::Market::EXCLUSIVE && present_[id] == 1;
    if (chose && !received_[choices_[id]]) note_income(id, choices_[id], 0.0);
  }
  if (asks_ > 0) record.add("mean_ask", asked_ / static_cast<double>(asks_));
  for (std::size_t id = 0; floor > 0.0 && id < reputation_.size(); ++id) {
    record.add("reputation", reputation_[id], static_cast<std::int64_t>(id));
  }
  std::fill(received_.begin(), received_.end(), false);
  asked_ = 0.0;
  asks_ = 0;
}

void Sellers::end_round_of(std::size_t seller) {
  const scenario::Sellers& config = config_->sellers();
  const Balance balance = balances_[seller];
  balances_[seller] = {};
  const bool shut_out = reputation_[seller] < config.min_reputation();
  if (!balance.delivered && !shut_out) return;
  const double memory = config.reputation_memory();
  reputation_[seller] = memory * reputation_[seller] + (1.0 - memory) * (balance.sold || shut_out ? 1.0 : 0.0);
  if (!balance.delivered) return;
  contented_[seller] = !config.has_rational() || balance.income >= balance.cost ? 1 : 0;
  const double step = config.adaptive_ask().step();
  ask_factors_[seller] = std::clamp(ask_factors_[seller] * (balance.sold ? 1.0 + step : 1.0 - step), 1.0, most_credits);
}

void Sellers::serialize(Archive& archive) {
  const std::size_t sellers = reputation_.size();
  archive.field("in the market", in_market_);
  archive.field("present", present_);
  archive.field("contented", contented_);
  archive.field("reputation", reputation_);
  archive.field("ask factors", ask_factors_);
  archive.field("mean incomes", mean_incomes_);
  archive.field("buyers tried", tried_);
  SOUK_REQUIRE(reputation_.size() == sellers && tried_.size() == sellers * buyers_,
               "saved state: {} sellers and {} pairs with buyers, not {} and {}", reputation_.size(), tried_.size(),
               sellers, sellers * buyers_);
}

}  // namespace souk
