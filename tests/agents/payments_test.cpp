// Payments: each rule's formula, and the two auctions attacked by brute force.
#include <algorithm>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>

#include "agents/market/auctions.hpp"
#include "agents/market/payment.hpp"
#include "agents/market/reward_shares.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/random.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk::payments_test {
namespace {

using testing::ElementsAre;

using Prices = std::vector<std::optional<MicroCredits>>;

std::unique_ptr<PaymentRule> rule(const std::string& market) {
  return make_payment_rule(resolve_scenario({"test", "market { " + market + " }", {}}).scenario->market());
}

std::vector<MicroCredits> paid(const std::string& market, const std::vector<Purchase>& bought, MicroCredits available) {
  return rule(market)->pay(bought, available);
}

const std::vector<Purchase> three{{.seller = {4}, .weight = 0.5, .cosine = 0.9, .value = 3.0, .agreed = 70},
                                  {.seller = {7}, .weight = 0.3, .cosine = -0.2, .value = -1.0, .agreed = 0},
                                  {.seller = {9}, .weight = 0.2, .cosine = 0.25, .value = 1.0, .agreed = 30}};

TEST(Payment, follows_its_formula) {
  EXPECT_THAT(paid("unit_price { price: 1.5 }", three, 9'000'000), ElementsAre(1'500'000, 1'500'000, 1'500'000));
  EXPECT_THAT(paid("equal_split {}", three, 10), ElementsAre(4, 3, 3));
  EXPECT_THAT(paid("weight_proportional {}", three, 1'000'000), ElementsAre(500'000, 300'000, 200'000));
  EXPECT_THAT(paid("deposit_penalty {}", three, 1'000'000), ElementsAre(500'000, 300'000, 200'000));
  EXPECT_THAT(paid("quality { base: 2 bonus: 10 }", three, 36'000'000), ElementsAre(11'000'000, 2'000'000, 4'500'000));
  EXPECT_THAT(paid("contribution_proportional {}", three, 1'000'000), ElementsAre(750'000, 0, 250'000));
  EXPECT_THAT(paid("posted_price { price: 0.5 }", three, 9'000'000), ElementsAre(500'000, 500'000, 500'000));
  EXPECT_THAT(paid("vcg {}", three, 1000), ElementsAre(70, 0, 30));
  EXPECT_THAT(paid("budget_feasible {}", three, 1000), ElementsAre(70, 0, 30));
  EXPECT_THAT(paid("sparsified_model {}", three, 0), ElementsAre(0, 0, 0));
  for (const char* name : {"unit_price", "equal_split", "weight_proportional", "quality", "contribution_proportional",
                           "posted_price", "vcg", "budget_feasible", "deposit_penalty", "sparsified_model"}) {
    EXPECT_TRUE(paid(std::string(name) + " {}", {}, 1000).empty()) << name;
  }
}

TEST(Payment, pays_nobody_where_nobody_contributes) {
  EXPECT_THAT(
      paid("contribution_proportional {}", {{.seller = {0}, .value = -1.0}, {.seller = {1}, .value = 0.0}}, 100),
      ElementsAre(0, 0));
}

TEST(Payment, says_what_it_needs) {
  EXPECT_TRUE(rule("contribution_proportional {}")->needs_valuation());
  EXPECT_TRUE(rule("sparsified_model {}")->needs_valuation());
  EXPECT_TRUE(rule("vcg {}")->needs_cosine());
  EXPECT_TRUE(rule("budget_feasible {}")->needs_cosine());
  EXPECT_FALSE(rule("posted_price {}")->needs_cosine());
  EXPECT_TRUE(rule("posted_price { reserve: 0.1 }")->needs_cosine());
  EXPECT_EQ(rule("posted_price { price: 3 }")->posted_price(), 3'000'000);
  EXPECT_EQ(rule("vcg { value: 4 most: 7 }")->highest_price(), 4'000'000);
  EXPECT_EQ(rule("vcg { value: 4 most: 7 }")->most_bought(), 7u);
  EXPECT_EQ(rule("deposit_penalty { buyer_deposit: 2 seller_deposit: 0.5 }")->buyer_deposit(), 2'000'000);
  EXPECT_EQ(rule("deposit_penalty { buyer_deposit: 2 seller_deposit: 0.5 }")->seller_deposit(), 500'000);
}

TEST(PostedPrice, looks_only_at_updates_worth_its_price) {
  const std::vector<Offer> offers{{{0}, 0, 0.5}, {{1}, 0, 0.39}, {{2}, 0, 0.4}, {{3}, 0, -1.0}};

  const Prices picky = rule("posted_price { price: 2 reserve: 0.2 }")->shortlist(offers, 0);
  const Prices easy = rule("posted_price { price: 2 }")->shortlist(offers, 0);

  EXPECT_THAT(picky, ElementsAre(2'000'000, std::nullopt, 2'000'000, std::nullopt));
  EXPECT_THAT(easy, ElementsAre(2'000'000, 2'000'000, 2'000'000, 2'000'000));
}

TEST(RewardShares, are_relative_to_the_best) {
  EXPECT_THAT(reward_shares(2.0, std::vector<double>{0.5, -3.0, 0.0, 1.0}),
              ElementsAre(testing::DoubleEq(std::tanh(1.0) / std::tanh(2.0)), 0.0, 0.0, 1.0));
  EXPECT_THAT(reward_shares(1e9, std::vector<double>{0.5, 1e-3}), ElementsAre(1.0, 1.0));  // altruism: all alike
  EXPECT_THAT(reward_shares(1.0, std::vector<double>{-1.0, 0.0}), ElementsAre(0.0, 0.0));
  EXPECT_TRUE(reward_shares(1.0, {}).empty());
}

TEST(VcgPayment, pays_by_hand) {
  const auto vcg = rule("vcg { value: 10 most: 2 }");  // worths 9, 5, 8, 0; surplus 5, 4, 2, none

  const Prices prices = vcg->shortlist(
      std::vector<Offer>{{{0}, 4'000'000, 0.9}, {{1}, 1'000'000, 0.5}, {{2}, 6'000'000, 0.8}, {{3}, 0, -0.5}}, 0);

  EXPECT_THAT(prices, ElementsAre(7'000'000, 3'000'000, std::nullopt, std::nullopt));
}

TEST(BudgetFeasible, pays_by_hand) {
  // Asks per worth 1, 2, 6. The first two: 200 * (100 + 100) <= 600 * 100; the third: 600 > 600 / 3. With an ask of 300
  // either of them would still be one of two; with more not.
  const Prices prices =
      rule("budget_feasible {}")->shortlist(std::vector<Offer>{{{0}, 100, 1.0}, {{1}, 200, 1.0}, {{2}, 600, 1.0}}, 600);

  EXPECT_THAT(prices, ElementsAre(300, 300, std::nullopt));
}

/// A small random market: asks and worths so small that ties are common.
std::vector<Bid> random_bids(Stream& random) {
  std::vector<Bid> bids(1 + random.below(6));
  const std::uint32_t range = random.below(2) == 0 ? 6 : 40;
  for (Bid& bid : bids) bid = {.ask = random.below(range), .worth = random.below(range)};
  return bids;
}

/// Largest sum of worth - ask over sets of at most `most` bids, `without` left out, by trying all.
MicroCredits best_welfare(const std::vector<Bid>& bids, std::size_t most, std::size_t without) {
  MicroCredits best = 0;
  for (unsigned set = 0; set < (1U << bids.size()); ++set) {
    MicroCredits welfare = 0;
    std::size_t members = 0;
    for (std::size_t i = 0; i < bids.size(); ++i) {
      if ((set >> i & 1U) == 0) continue;
      welfare += i == without ? -1000 : bids[i].worth - bids[i].ask;
      ++members;
    }
    if (most == 0 || members <= most) best = std::max(best, welfare);
  }
  return best;
}

/// Whoever asks something else than its cost, the bid in `bids`, earns no more; whoever asks less still sells.
template <class Auction>
void expect_truthful(const std::vector<Bid>& bids, MicroCredits highest_ask, const Auction& auction) {
  const Prices honest = auction(bids);
  for (std::size_t i = 0; i < bids.size(); ++i) {
    const MicroCredits cost = bids[i].ask, earned = honest[i] ? *honest[i] - cost : 0;
    EXPECT_GE(earned, 0) << "individually rational";
    std::vector<Bid> lying = bids;
    bool won = true;
    for (lying[i].ask = 0; lying[i].ask <= highest_ask; ++lying[i].ask) {
      const std::optional<MicroCredits> price = auction(lying)[i];
      EXPECT_LE(price ? *price - cost : 0, earned) << "asks " << lying[i].ask << " at a cost of " << cost;
      EXPECT_TRUE(won || !price) << "wins with " << lying[i].ask << " and not with less";
      EXPECT_TRUE(!price || !honest[i] || *price == *honest[i]) << "the price does not depend on the ask";
      won = price.has_value();
    }
  }
}

TEST(VcgAuction, maximises_welfare_and_pays_welfare_differences) {
  Stream random(21, StreamKey{Purpose::aggregation, nobody, {}});
  for (int trial = 0; trial < 4000; ++trial) {
    const std::vector<Bid> bids = random_bids(random);
    const std::size_t most = random.below(4), nobody_left_out = bids.size();

    const Prices prices = vcg_auction(bids, most);

    const MicroCredits welfare = best_welfare(bids, most, nobody_left_out);
    MicroCredits reached = 0;
    std::size_t bought = 0;
    for (std::size_t i = 0; i < bids.size(); ++i) {
      if (!prices[i]) continue;
      ++bought;
      reached += bids[i].worth - bids[i].ask;
      EXPECT_GT(bids[i].worth, bids[i].ask);
      EXPECT_EQ(*prices[i], bids[i].ask + welfare - best_welfare(bids, most, i));
      EXPECT_LE(*prices[i], bids[i].worth);
    }
    EXPECT_EQ(reached, welfare);
    EXPECT_TRUE(most == 0 || bought <= most);
  }
}

TEST(VcgAuction, gives_nobody_a_reason_to_lie) {
  Stream random(22, StreamKey{Purpose::aggregation, nobody, {}});
  for (int trial = 0; trial < 1500; ++trial) {
    const std::size_t most = random.below(4);
    expect_truthful(random_bids(random), 42, [&](const std::vector<Bid>& bids) { return vcg_auction(bids, most); });
  }
}

/// The greedy rule word by word: by ask / worth, while ask <= budget * worth / (worth bought with it).
std::vector<bool> greedy(const std::vector<Bid>& bids, MicroCredits budget) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < bids.size(); ++i) {
    if (bids[i].worth > 0) order.push_back(i);
  }
  std::ranges::stable_sort(
      order, [&](std::size_t a, std::size_t b) { return bids[a].ask * bids[b].worth < bids[b].ask * bids[a].worth; });
  std::vector<bool> wins(bids.size(), false);
  MicroCredits worth = 0;
  for (const std::size_t i : order) {
    worth += bids[i].worth;
    if (bids[i].ask * worth > budget * bids[i].worth) break;
    wins[i] = true;
  }
  return wins;
}

TEST(BudgetFeasibleAuction, is_the_greedy_rule_and_pays_thresholds_within_the_budget) {
  Stream random(23, StreamKey{Purpose::aggregation, nobody, {}});
  for (int trial = 0; trial < 4000; ++trial) {
    const std::vector<Bid> bids = random_bids(random);
    const MicroCredits budget = random.below(60);

    const Prices prices = budget_feasible_auction(bids, budget);

    const std::vector<bool> wins = greedy(bids, budget);
    MicroCredits total = 0;
    for (std::size_t i = 0; i < bids.size(); ++i) {
      EXPECT_EQ(prices[i].has_value(), wins[i]);
      if (!prices[i]) continue;
      total += *prices[i];
      std::vector<Bid> other = bids;
      MicroCredits threshold = -1;
      for (other[i].ask = 0; other[i].ask <= budget + 1; ++other[i].ask) {
        if (greedy(other, budget)[i]) threshold = other[i].ask;
      }
      EXPECT_EQ(*prices[i], threshold);
    }
    EXPECT_LE(total, budget);
  }
}

TEST(BudgetFeasibleAuction, gives_nobody_a_reason_to_lie) {
  Stream random(24, StreamKey{Purpose::aggregation, nobody, {}});
  for (int trial = 0; trial < 1500; ++trial) {
    const MicroCredits budget = random.below(60);
    expect_truthful(random_bids(random), 62,
                    [&](const std::vector<Bid>& bids) { return budget_feasible_auction(bids, budget); });
  }
}

TEST(BudgetFeasibleAuction, does_not_overflow_with_the_largest_sums) {
  const MicroCredits budget = to_micro(1e12);
  const std::vector<Bid> bids(1000, {.ask = to_micro(1e9), .worth = 1'000'000});

  const Prices prices = budget_feasible_auction(bids, budget);

  for (const auto& price : prices) EXPECT_EQ(price, to_micro(1e9));
  EXPECT_FALSE(budget_feasible_auction(std::vector<Bid>(1001, bids.front()), budget)[1000]);
}

}  // namespace
}  // namespace souk::payments_test
