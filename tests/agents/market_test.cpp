// Money: the ledger, a buyer's desk, and markets run as a whole.
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include <gmock/gmock.h>

#include "agents/market/ledger.hpp"
#include "agents/market/market_desk.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/error.hpp"
#include "sim/base/random.hpp"
#include "sim/engine/scenario_file.hpp"
#include "sim/stats/correlation.hpp"
#include "sim/stats/inequality.hpp"

namespace souk::market_test {
namespace {

using testing::ElementsAre;

ResolvedScenario resolve(const std::string& text) { return resolve_scenario({"test", text, {}}); }

TEST(SplitExactly, gives_away_every_millionth_and_stays_within_one_of_the_exact_part) {
  Stream random(5, StreamKey{Purpose::aggregation, nobody, {}});
  for (int trial = 0; trial < 2000; ++trial) {
    const auto amount = static_cast<MicroCredits>(random.uniform() * 1e15);
    std::vector<double> shares(1 + random.below(40));
    for (double& share : shares) share = random.below(4) == 0 ? 0.0 : random.uniform();
    const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
    const std::vector<MicroCredits> parts = split_exactly(amount, shares);
    if (sum == 0.0) {
      EXPECT_EQ(std::accumulate(parts.begin(), parts.end(), MicroCredits{0}), 0);
      continue;
    }
    EXPECT_EQ(std::accumulate(parts.begin(), parts.end(), MicroCredits{0}), amount);
    for (std::size_t i = 0; i < shares.size(); ++i) {
      EXPECT_NEAR(static_cast<double>(parts[i]), static_cast<double>(amount) * shares[i] / sum, 2.0);
      EXPECT_TRUE(shares[i] > 0.0 || parts[i] == 0);
    }
  }
}

TEST(Inequality, has_its_closed_forms) {
  EXPECT_DOUBLE_EQ(jain({3, 3, 3, 3}), 1.0);
  EXPECT_DOUBLE_EQ(jain({0, 0, 5, 0}), 0.25);
  EXPECT_DOUBLE_EQ(jain({1, 2}), 0.9);
  EXPECT_DOUBLE_EQ(entropy({2, 2, 2}), std::log(3.0));
  EXPECT_DOUBLE_EQ(entropy({0, 7}), 0.0);
  EXPECT_NEAR(entropy({1, 3}), -0.25 * std::log(0.25) - 0.75 * std::log(0.75), 1e-15);
}

/// Balances by booking the rows anew, and what never may happen.
class Auditor {
 public:
  void check(const RoundRecord& record) {
    for (const TransferRow& row : record.transfers) {
      EXPECT_GT(row.micro_credits, 0);
      if (row.payer == row.payee) {
        EXPECT_EQ(row.kind, "issue");
        issued_[row.payee] += row.micro_credits;
      } else {
        balances_[row.payer] -= row.micro_credits;
        EXPECT_GE(balances_[row.payer], 0) << row.kind;
      }
      balances_[row.payee] += row.micro_credits;
    }
    MicroCredits sum = 0;
    for (const auto& [account, balance] : balances_) sum += balance;
    for (const auto& [account, issued] : issued_) sum -= issued;
    EXPECT_EQ(sum, 0);
    EXPECT_EQ(balances_[account::market], 0) << "escrow is closed";
  }
  MicroCredits balance(std::int64_t account) { return balances_[account]; }
  MicroCredits issued(std::int64_t account) { return issued_[account]; }

 private:
  std::map<std::int64_t, MicroCredits> balances_{{account::market, 0}};
  std::map<std::int64_t, MicroCredits> issued_;
};

/// Several buyers with one ledger.
class Trading {
 public:
  Trading(const scenario::Market& config, const std::vector<BuyerTerms>& terms, std::size_t sellers) {
    for (const BuyerTerms& buyer : terms) {
      std::vector<SellerFacts> facts(sellers);
      for (std::size_t i = 0; i < sellers; ++i) facts[i].malicious = i % 3 == 0;
      desks.push_back(std::make_unique<MarketDesk>(config, buyer, 7, ledger, std::move(facts)));
    }
  }
  std::vector<std::byte> save() {
    SaveArchive archive;
    serialize(archive);
    return archive.bytes();
  }
  void load(std::span<const std::byte> bytes) {
    LoadArchive archive(bytes);
    serialize(archive);
    archive.expect_end();
  }

  Ledger ledger;
  std::vector<std::unique_ptr<MarketDesk>> desks;

 private:
  void serialize(Archive& archive) {
    ledger.serialize(archive);
    for (const auto& desk : desks) desk->serialize(archive);
  }
};

/// A round in which `random` decides who delivers, what the rule takes and what an audit finds.
RoundRecord random_round(Trading& trading, std::size_t sellers, RoundIndex round, Stream random) {
  RoundRecord record;
  if (round.value == 1) {
    for (std::uint32_t id = 0; id < sellers; ++id) trading.ledger.issue(id, random.below(3) * 400'000, record);
  }
  std::vector<std::size_t> affordable;
  for (const auto& desk : trading.desks) affordable.push_back(desk->open_round(sellers, record));
  for (std::size_t buyer = 0; buyer < affordable.size(); ++buyer) {
    MarketDesk& desk = *trading.desks[buyer];
    EXPECT_LE(affordable[buyer], sellers);
    if (affordable[buyer] == 0) continue;
    std::vector<Offer> offers;
    for (std::uint32_t id = 0; id < affordable[buyer]; ++id) {
      if (random.below(5) == 0) continue;  // never arrived
      offers.push_back({{id}, random.below(2'000'000), 2.0 * random.uniform() - 1.0});
    }
    const bool listed = random.below(4) > 0;
    const std::vector<bool> seen = listed ? desk.shortlist(offers) : std::vector<bool>(offers.size(), true);
    std::vector<Delivery> deliveries;
    for (std::size_t i = 0; i < offers.size(); ++i) {
      const bool bought = seen[i] && random.below(3) > 0;
      deliveries.push_back({.seller = offers[i].seller,
                            .weight = bought ? 0.01 + random.uniform() : 0.0,
                            .cosine = offers[i].cosine,
                            .cost = random.uniform(),
                            .cheated = !bought && random.below(3) == 0});
      if (random.below(2) == 0) deliveries.back().value = random.normal();
      if (random.below(2) == 0) deliveries.back().distance = random.uniform();
    }
    std::map<std::int64_t, MicroCredits> before;
    for (const Offer& offer : offers) before[offer.seller.value] = trading.ledger.balance(offer.seller.value);
    for (const SellerRound& seller : desk.settle(Comm::self(), round, deliveries, record)) {
      EXPECT_EQ(trading.ledger.balance(seller.seller.value) - before[seller.seller.value], seller.paid);
    }
  }
  return record;
}

const char* const every_payment[] = {"unit_price { price: 0.7 }",
                                     "equal_split {}",
                                     "weight_proportional {}",
                                     "quality { base: 0.1 bonus: 2 }",
                                     "contribution_proportional {}",
                                     "posted_price { price: 1.3 reserve: 0.1 }",
                                     "vcg { value: 3 most: 2 }",
                                     "vcg { value: 3 }",
                                     "budget_feasible {}",
                                     "deposit_penalty { buyer_deposit: 1.7 seller_deposit: 0.4 }",
                                     "deposit_penalty { buyer_deposit: 0 seller_deposit: 0.5 }",
                                     "sparsified_model {}"};

TEST(Market, conserves_money_and_goes_on_from_saved_state_whatever_happens) {
  Stream random(11, StreamKey{Purpose::aggregation, nobody, {}});
  for (int trial = 0; trial < 4000; ++trial) {
    const std::size_t sellers = 1 + random.below(12), buyers = 1 + random.below(3);
    const ResolvedScenario scenario =
        resolve(fmt::format("market {{ {} payment_noise: {} }}", every_payment[random.below(std::size(every_payment))],
                            random.below(2) == 0 ? 0.0 : random.uniform()));
    std::vector<BuyerTerms> terms;
    for (std::size_t buyer = 0; buyer < buyers; ++buyer) {
      terms.push_back({.account = account::buyer - static_cast<std::int64_t>(buyer),
                       .budget = random.below(3) == 0 ? 0 : to_micro(random.uniform() * 30.0),
                       .round_budget = 1000 + to_micro(random.uniform() * 8.0)});
    }
    Trading trading(scenario.scenario->market(), terms, sellers);
    auto resumed = std::make_unique<Trading>(scenario.scenario->market(), terms, sellers);
    Auditor auditor;
    for (std::uint32_t round = 1; round <= 6; ++round) {
      const Stream of_round(static_cast<std::uint64_t>(trial), StreamKey{Purpose::selection, nobody, {round}});

      const RoundRecord record = random_round(trading, sellers, {round}, of_round);
      const RoundRecord again = random_round(*resumed, sellers, {round}, of_round);

      auditor.check(record);
      for (const BuyerTerms& buyer : terms) {
        EXPECT_TRUE(buyer.budget == 0 || auditor.issued(buyer.account) <= buyer.budget);
        EXPECT_EQ(auditor.balance(buyer.account), trading.ledger.balance(buyer.account));
      }
      ASSERT_EQ(record.transfers.size(), again.transfers.size());
      for (std::size_t t = 0; t < record.transfers.size(); ++t) {
        EXPECT_EQ(record.transfers[t].kind, again.transfers[t].kind);
        EXPECT_EQ(record.transfers[t].payee, again.transfers[t].payee);
        EXPECT_EQ(record.transfers[t].micro_credits, again.transfers[t].micro_credits);
      }
      ASSERT_EQ(record.metrics.size(), again.metrics.size());
      for (std::size_t m = 0; m < record.metrics.size(); ++m) {
        EXPECT_EQ(record.metrics[m].name, again.metrics[m].name);
        EXPECT_EQ(record.metrics[m].value, again.metrics[m].value);
      }
      const std::vector<std::byte> saved = resumed->save();
      resumed = std::make_unique<Trading>(scenario.scenario->market(), terms, sellers);
      resumed->load(saved);
    }
  }
}

/// One buyer's desk and what it books.
struct OneBuyer {
  OneBuyer(const std::string& market, std::size_t sellers, BuyerTerms terms = {})
      : scenario(resolve("market { " + market + " }")),
        desk(scenario.scenario->market(), terms, 5, ledger, std::vector<SellerFacts>(sellers)) {}

  ResolvedScenario scenario;
  Ledger ledger;
  MarketDesk desk;
  RoundRecord record;
};

/// Rows of a kind, payer and payee beside the amount.
std::vector<std::tuple<std::int64_t, std::int64_t, MicroCredits>> rows(const RoundRecord& record,
                                                                       const std::string& kind) {
  std::vector<std::tuple<std::int64_t, std::int64_t, MicroCredits>> result;
  for (const TransferRow& row : record.transfers) {
    if (row.kind == kind) result.emplace_back(row.payer, row.payee, row.micro_credits);
  }
  return result;
}

TEST(MarketDesk, asks_no_more_sellers_than_it_can_pay) {
  OneBuyer market("unit_price { price: 2 }", 10, {.budget = to_micro(7)});

  EXPECT_EQ(market.desk.open_round(10, market.record), 3u);
  market.desk.settle(Comm::self(), {1}, std::vector<Delivery>{{{0}, 1.0}, {{1}, 1.0}, {{2}, 0.5}}, market.record);
  RoundRecord second;
  EXPECT_EQ(market.desk.open_round(10, second), 0u);  // one credit is left

  ASSERT_EQ(second.events.size(), 1u);
  EXPECT_EQ(second.events[0].kind, "budget spent");
  EXPECT_EQ(market.ledger.balance(account::buyer), 1'000'000);
}

TEST(MarketDesk, refuses_to_share_out_a_sum_that_it_does_not_have) {
  for (const char* payment : {"equal_split {}", "contribution_proportional {}", "budget_feasible {}"}) {
    EXPECT_THROW(OneBuyer(payment, 1), InputError) << payment;
  }
}

TEST(MarketDesk, needs_money_only_for_the_most_that_it_buys) {
  OneBuyer some("vcg { value: 2 most: 3 }", 10, {.budget = to_micro(6)});
  OneBuyer fewer("vcg { value: 2 most: 3 }", 10, {.budget = to_micro(5)});

  EXPECT_EQ(some.desk.open_round(10, some.record), 10u);
  EXPECT_EQ(fewer.desk.open_round(10, fewer.record), 2u);

  EXPECT_THAT(rows(some.record, "escrow"), ElementsAre(std::tuple(account::buyer, account::market, 6'000'000)));
}

TEST(MarketDesk, needs_no_money_where_a_model_is_the_reward) {
  OneBuyer market("sparsified_model {}", 4);

  EXPECT_EQ(market.desk.open_round(4, market.record), 4u);
  const auto outcomes =
      market.desk.settle(Comm::self(), {1}, std::vector<Delivery>{{{0}, 0.5}, {{2}, 0.5}}, market.record);

  EXPECT_TRUE(market.record.transfers.empty());
  EXPECT_EQ(outcomes[1].paid, 0);
  EXPECT_EQ(market.record.metric("bought"), 2.0);
}

TEST(MarketDesk, books_deposits_on_both_sides) {
  OneBuyer market("deposit_penalty { buyer_deposit: 1 seller_deposit: 0.5 }", 4,
                  {.budget = to_micro(5), .round_budget = to_micro(3)});
  for (std::uint32_t id = 0; id < 4; ++id) market.ledger.issue(id, 600'000, market.record);
  ASSERT_EQ(market.desk.open_round(4, market.record), 4u);

  const auto outcomes = market.desk.settle(Comm::self(), {1},
                                           std::vector<Delivery>{{.seller = {0}, .weight = 0.75},
                                                                 {.seller = {1}, .weight = 0.25},
                                                                 {.seller = {2}, .weight = 0.0},
                                                                 {.seller = {3}, .weight = 0.0, .cheated = true}},
                                           market.record);

  EXPECT_THAT(rows(market.record, "escrow"), ElementsAre(std::tuple(account::buyer, account::market, 4'000'000)));
  EXPECT_THAT(rows(market.record, "payment"),
              ElementsAre(std::tuple(account::market, 0, 2'250'000), std::tuple(account::market, 1, 750'000)));
  EXPECT_THAT(rows(market.record, "deposit back"),
              ElementsAre(std::tuple(account::market, 0, 500'000), std::tuple(account::market, 1, 500'000),
                          std::tuple(account::market, 3, 500'000)));
  EXPECT_THAT(rows(market.record, "forfeit"), ElementsAre(std::tuple(account::market, account::buyer, 500'000)));
  EXPECT_THAT(rows(market.record, "penalty"), ElementsAre(std::tuple(account::market, 3, 1'000'000)));
  EXPECT_TRUE(rows(market.record, "refund").empty());
  EXPECT_EQ(outcomes[2].paid, -500'000);
  EXPECT_EQ(outcomes[3].paid, 1'000'000);
  EXPECT_EQ(market.record.metric("spent_total"), 3.0) << "payments only";
  EXPECT_EQ(market.desk.open_round(4, market.record), 4u) << "1.5 credits: the deposit, and 0.5 to share out";
  market.desk.settle(Comm::self(), {2}, {}, market.record);
  EXPECT_EQ(market.ledger.balance(account::buyer), 1'500'000) << "the deposit comes back";
}

TEST(MarketDesk, is_out_where_it_cannot_pay_its_deposit) {
  OneBuyer market("deposit_penalty { buyer_deposit: 2 }", 4, {.budget = to_micro(2), .round_budget = to_micro(1)});

  EXPECT_EQ(market.desk.open_round(4, market.record), 0u);

  EXPECT_EQ(market.ledger.balance(account::market), 0);
}

TEST(MarketDesk, pays_the_prices_agreed_on_whatever_the_order_of_offers) {
  OneBuyer market("vcg { value: 10 most: 2 }", 4);
  market.desk.open_round(4, market.record);

  const std::vector<bool> seen = market.desk.shortlist(
      std::vector<Offer>{{{3}, 0, -0.5}, {{2}, 6'000'000, 0.8}, {{0}, 4'000'000, 0.9}, {{1}, 1'000'000, 0.5}});
  const auto outcomes = market.desk.settle(
      Comm::self(), {1}, std::vector<Delivery>{{{0}, 0.5}, {{1}, 0.5}, {{2}, 0.0}, {{3}, 0.0}}, market.record);

  EXPECT_THAT(seen, ElementsAre(false, false, true, true));
  EXPECT_EQ(outcomes[0].paid, 7'000'000);  // 9 less 2, the surplus of the best loser
  EXPECT_EQ(outcomes[1].paid, 3'000'000);
}

TEST(MarketDesk, adds_noise_of_this_deviation_to_prices) {
  OneBuyer market("quality { base: 50 bonus: 50 } payment_noise: 2", 4000);
  market.desk.open_round(4000, market.record);
  std::vector<Delivery> deliveries;
  for (std::uint32_t id = 0; id < 4000; ++id) deliveries.push_back({.seller = {id}, .weight = 1.0});

  RunningMoments prices;
  for (const SellerRound& seller : market.desk.settle(Comm::self(), {1}, deliveries, market.record)) {
    prices.add(to_credits(seller.paid));
  }

  EXPECT_NEAR(prices.mean, 50.0, 4.0 * 2.0 / std::sqrt(4000.0));
  EXPECT_NEAR(std::sqrt(prices.variance()), 2.0, 0.1);
}

}  // namespace
}  // namespace souk::market_test
