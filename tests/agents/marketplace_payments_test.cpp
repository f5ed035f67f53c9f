// Whom a market pays, how much, and with what.
#include <algorithm>
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "agents/market/ledger.hpp"
#include "agents/market/reward_models.hpp"
#include "tests/agents/market_rounds.hpp"

namespace souk::marketplace_payments_test {
namespace {

using testing::HasSubstr;

TEST(Marketplace, who_sends_rubbish_has_the_cost_and_loses_its_name) {
  const Rounds rubbish = run(
      market("unit_price {} costs { per_round: 0.5 } sellers { min_reputation: 0.01 }", "attacks { count: 2 nan {} }"));
  EXPECT_EQ(rubbish.rounds.back().metric("individual_rationality"), 6.0 / 8.0);
  std::size_t low = 0;
  for (const MetricValue& m : rubbish.rounds.back().metrics) low += m.name == "reputation" && m.value < 0.7 ? 1 : 0;
  EXPECT_EQ(low, 2u);
}

TEST(Marketplace, models_are_earned_by_what_is_bought) {
  const Rounds rewarded = run(market("sparsified_model {} cosine {}", "aggregator { krum { f: 2 } } "));
  std::map<std::int64_t, double> accuracy, weight;
  for (const MetricValue& m : rewarded.rounds.back().metrics) {
    if (m.name == "reward_accuracy") accuracy[m.agent] = m.value;
  }
  for (const RoundRecord& round : rewarded.rounds) {
    for (const SelectionRow& row : round.selections) weight[row.agent.value] += row.weight.value();
  }
  ASSERT_EQ(accuracy.size(), 8u);
  std::set<double> of_losers;
  for (const auto& [seller, sum] : weight) {
    if (sum == 0.0) of_losers.insert(accuracy[seller]);
  }
  EXPECT_EQ(of_losers.size(), 1u) << "their models are all as they were at the start";
}

TEST(Marketplace, auctions_stay_in_budget_and_buy_from_the_cheap) {
  const Rounds sale = run(market("budget_feasible {} round_budget: 3 costs { per_round: 0.5 sigma: 1 }"));
  std::size_t outbid = 0;
  for (const RoundRecord& round : sale.rounds) {
    EXPECT_LE(round.metric("spent").value(), 3.0);
    for (const SelectionRow& row : round.selections) outbid += row.outcome == SelectionOutcome::outbid ? 1 : 0;
  }
  EXPECT_GT(outbid, 0u);
  EXPECT_GT(sale.sum("spent"), 0.0);
}

TEST(Marketplace, contributions_are_paid_for_and_measured_beside_the_market) {
  const Rounds paid = run(market("contribution_proportional {} round_budget: 10 shapley {} assessment { every: 1 }",
                                 "attacks { count: 2 sign_flip {} }"));
  const RoundRecord& first = paid.rounds.front();
  std::map<std::int64_t, double> value, income;
  for (const MetricValue& m : first.metrics) {
    if (m.name == "value") value[m.agent] = m.value;
  }
  for (const TransferRow& row : first.transfers) {
    if (row.kind == "payment") income[row.payee] = to_credits(row.micro_credits);
  }
  double positive = 0.0;
  for (const auto& [seller, v] : value) positive += std::max(0.0, v);
  ASSERT_GT(positive, 0.0);
  for (const auto& [seller, v] : value) EXPECT_NEAR(income[seller], 10.0 * std::max(0.0, v) / positive, 1e-5);
  EXPECT_EQ(first.metric("valuation_evaluations"), 256.0);
  EXPECT_TRUE(first.metric("reward_correlation.standalone"));
  EXPECT_THAT(refusal(market("contribution_proportional {} round_budget: 10")), HasSubstr("no valuation is chosen"));
  std::string many = market("unit_price {} shapley {}");
  many.replace(many.find("clients: 8"), 10, "clients: 13");
  EXPECT_THAT(refusal(many), HasSubstr("can cope with 12 updates a round, and there are 13"));
}

std::string rootless_market(const std::string& market, const std::string& more = "") {
  return "rounds: 5 task { data { glyphs { train_samples: 600 test_samples: 100 } } model { mlp { hidden: 16 } } "
         "training { batch_size: 16 learning_rate: 0.1 } } participants { clients: 8 everyone: true } " +
         more + " market { " + market + " }";
}

TEST(Marketplace, pays_whom_the_rule_selects_and_nobody_else) {
  const Rounds market =
      run(rootless_market("unit_price {}", "aggregator { multi_krum { f: 2 } } attacks { count: 2 sign_flip {} }"));
  ASSERT_EQ(market.rounds.size(), 5u);
  for (const RoundRecord& round : market.rounds) {
    std::set<std::int64_t> selected, paid_sellers;
    for (const SelectionRow& row : round.selections) {
      if (row.weight > 0.0) selected.insert(row.agent.value);
    }
    for (const TransferRow& row : round.transfers) {
      if (row.kind == "payment") paid_sellers.insert(row.payee);
    }
    EXPECT_EQ(selected, paid_sellers);
    EXPECT_EQ(round.metric("bought"), static_cast<double>(selected.size()));
    EXPECT_LT(selected.size(), 8u);
  }
  EXPECT_EQ(market.set_up.agents.front().role, "seller");
}

TEST(Marketplace, ends_when_the_budget_is_spent) {
  const Rounds market = run(rootless_market("unit_price {} budget: 20"));
  ASSERT_EQ(market.rounds.size(), 4u);  // 8, 8, 4, and nothing
  EXPECT_EQ(market.rounds[2].metric("bought"), 4.0);
  EXPECT_EQ(market.rounds[2].selections.size(), 4u);  // nobody is asked in vain
  EXPECT_EQ(market.rounds[3].stop, Stop::budget);
  EXPECT_EQ(market.rounds[3].metric("spent"), std::nullopt);
}

TEST(Marketplace, books_the_same_on_any_number_of_ranks_and_leaves_training_alone) {
  const std::string text = rootless_market("quality {}", "aggregator { fltrust {} } attacks { count: 2 sign_flip {} }");
  const Rounds one = run(text), three_ranks = run(text, 3);
  ASSERT_EQ(one.rounds.size(), three_ranks.rounds.size());
  for (std::size_t r = 0; r < one.rounds.size(); ++r) {
    ASSERT_EQ(one.rounds[r].transfers.size(), three_ranks.rounds[r].transfers.size());
    for (std::size_t t = 0; t < one.rounds[r].transfers.size(); ++t) {
      EXPECT_EQ(one.rounds[r].transfers[t].micro_credits, three_ranks.rounds[r].transfers[t].micro_credits);
      EXPECT_EQ(one.rounds[r].transfers[t].payee, three_ranks.rounds[r].transfers[t].payee);
    }
  }
  const Rounds gift = run(text.substr(0, text.find("market {")));
  for (std::size_t r = 0; r < one.rounds.size(); ++r) {
    EXPECT_EQ(one.rounds[r].metric("loss"), gift.rounds[r].metric("loss"));
    EXPECT_TRUE(gift.rounds[r].transfers.empty());
  }
}

TEST(Marketplace, pays_by_the_cosine_with_the_buyers_own_update) {
  const Rounds market =
      run(rootless_market("quality { base: 1 bonus: 4 }", "attacks { count: 2 sign_flip { scale: 1 } }"));
  const std::map<std::int64_t, std::int64_t> group = [&] {
    std::map<std::int64_t, std::int64_t> groups;
    for (const AgentRow& agent : market.set_up.agents) groups[agent.agent.value] = agent.attacker_group;
    return groups;
  }();
  int benign_above_base = 0;
  for (const TransferRow& row : market.rounds.front().transfers) {
    if (row.kind != "payment") continue;
    EXPECT_TRUE(group.at(row.payee) < 0 || row.micro_credits == 1'000'000) << "turned round: no bonus";
    if (group.at(row.payee) < 0 && row.micro_credits > 1'000'000) ++benign_above_base;
    EXPECT_LE(row.micro_credits, 5'000'000);
  }
  EXPECT_EQ(benign_above_base, 6);
}

TEST(RewardModels, take_the_largest_values_of_every_layer) {
  const ParameterLayout layout({{.name = "a", .shape = {4}}, {.name = "b", .shape = {2, 3}}});
  const std::vector<float> start(10, 1.0F);
  const std::vector<float> step{0.1F, -3.0F, 2.0F, 0.0F, 5.0F, -5.0F, 1.0F, 0.5F, 4.0F, -6.0F};
  for (const int ranks : {1, 2, 3}) {
    run_team(ranks, [&](const Comm& comm) {
      RewardModels models(comm, layout, start, 3);
      models.earn(step, std::vector<AgentId>{{0}, {2}}, std::vector<double>{1.0, 0.5});
      std::vector<std::vector<float>> seen;
      RoundRecord record;
      models.record({.name = "accuracy",
                     .of =
                         [&](std::span<const float> model) {
                           seen.emplace_back(model.begin(), model.end());
                           return 0.5;
                         }},
                    std::vector<float>{7.0F}, record);
      ASSERT_EQ(seen.size(), 3u);
      for (std::size_t v = 0; v < 10; ++v) EXPECT_EQ(seen[0][v], 1.0F + step[v]);
      EXPECT_EQ(seen[1], (std::vector<float>{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 7}));
      EXPECT_EQ(seen[2],
                (std::vector<float>{1, -2, 3, 1, 6, -4, 1, 1, 1, -5, 7}));  // 2 of 4, 3 of 6, the first of equals
    });
  }
}

}  // namespace
}  // namespace souk::marketplace_payments_test
