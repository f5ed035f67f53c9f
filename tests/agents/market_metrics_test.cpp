// What a market records, against numbers worked out by hand and against the definitions of docs/metrics.md.
#include "agents/market/market_metrics.hpp"

#include <cmath>
#include <map>
#include <memory>

#include <gmock/gmock.h>

#include "sim/base/archive.hpp"
#include "sim/base/error.hpp"
#include "sim/base/random.hpp"
#include "sim/stats/correlation.hpp"
#include "sim/stats/inequality.hpp"

namespace souk::market_metrics_test {
namespace {

constexpr MicroCredits credit = micro_per_credit;

std::vector<SellerFacts> facts(const std::vector<bool>& malicious) {
  std::vector<SellerFacts> result;
  for (const bool is_malicious : malicious) result.push_back({.malicious = is_malicious});
  return result;
}

RoundRecord note(MarketMetrics& metrics, const std::vector<SellerRound>& sellers) {
  RoundRecord record;
  metrics.note(sellers, record);
  return record;
}

SellerRound sold(std::uint32_t seller, MicroCredits paid = credit, double cost = 0.0) {
  return {.seller = {seller}, .bought = true, .paid = paid, .cost = cost};
}
SellerRound rejected(std::uint32_t seller, double cost = 0.0) { return {.seller = {seller}, .cost = cost}; }

TEST(MarketMetrics, count_money_and_sales) {
  MarketMetrics metrics(facts({false, false, false, true}));

  const RoundRecord first = note(metrics, {sold(0, credit, 1.5), rejected(1, 1.5), sold(3, credit, 1.5)});
  const RoundRecord second = note(metrics, {sold(0, credit, 6.0), sold(1), sold(2)});

  EXPECT_EQ(first.metric("bought"), 2.0);
  EXPECT_EQ(first.metric("spent"), 2.0);
  EXPECT_EQ(first.metric("spent_on_benign"), 1.0);
  EXPECT_EQ(first.metric("spent_on_malicious"), 1.0);
  EXPECT_EQ(first.metric("malicious_selection_rate"), 0.5);
  EXPECT_EQ(first.metric("benign_selection_rate"), 0.5);
  EXPECT_EQ(first.metric("malicious_income_share"), 0.5);
  EXPECT_NEAR(*first.metric("payment_gini"), 2.0 / 3.0, 1e-12);  // benign incomes 1, 0, 0
  EXPECT_EQ(first.metric("payment_gini_of_sellers"), 0.0);
  EXPECT_NEAR(*first.metric("benign_malicious_ratio"), 1.0 / 3.0, 1e-12);
  EXPECT_EQ(first.metric("individual_rationality"), 0.25);  // only seller 2, who took no part, lost nothing
  EXPECT_EQ(first.metric("benign_surplus"), 1.0 - 3.0);
  EXPECT_EQ(first.metric("selection_stability"), std::nullopt);
  EXPECT_EQ(second.metric("spent_total"), 5.0);
  EXPECT_EQ(second.metric("spent_on_malicious"), 0.0);
  EXPECT_EQ(second.metric("budget_leakage"), 1.0);
  EXPECT_EQ(second.metric("malicious_selection_rate"), 0.2);
  EXPECT_EQ(second.metric("benign_selection_rate"), 0.8);  // four of five deliveries
  EXPECT_EQ(second.metric("selection_stability"), 0.25);   // {0, 3} and {0, 1, 2}
  EXPECT_NEAR(*second.metric("selection_entropy"), -(0.4 * std::log(0.4) + 3 * 0.2 * std::log(0.2)), 1e-12);
  EXPECT_NEAR(*second.metric("payment_jain"), 16.0 / 18.0, 1e-12);  // 2, 1, 1
  EXPECT_EQ(second.metric("benign_surplus"), 4.0 - 9.0);
}

TEST(MarketMetrics, call_a_price_rational_that_is_the_cost_but_for_rounding) {
  MarketMetrics metrics(facts({false, false}));
  const double cost = 1.0 / 3.0;

  const RoundRecord record = note(metrics, {sold(0, to_micro(cost), cost), sold(1, to_micro(cost) - 2, cost)});

  EXPECT_EQ(record.metric("individual_rationality"), 0.5);
}

TEST(MarketMetrics, say_what_it_cost_to_become_this_accurate) {
  MarketMetrics metrics(facts({false}));
  RoundRecord before, first, second, third;
  metrics.note_quality(0.2, before);
  note(metrics, {sold(0, 3 * credit)});
  metrics.note_quality(0.81, first);
  note(metrics, {sold(0, 2 * credit)});
  metrics.note_quality(0.1, second);
  metrics.note_quality(0.7, third);

  EXPECT_EQ(before.metric("credits_per_point"), std::nullopt);
  EXPECT_EQ(first.metric("cost_of_convergence.70"), 3.0);
  EXPECT_EQ(first.metric("cost_of_convergence.80"), 3.0);
  EXPECT_EQ(first.metric("cost_of_convergence.85"), std::nullopt);
  EXPECT_NEAR(*first.metric("credits_per_point"), 3.0 / 61.0, 1e-12);
  EXPECT_EQ(second.metric("cost_of_convergence.80"), 3.0) << "once reached, it stays";
  EXPECT_EQ(second.metric("credits_per_point"), std::nullopt) << "no better than at first";
  EXPECT_NEAR(*third.metric("credits_per_point"), 5.0 / 50.0, 1e-12);
}

TEST(MarketMetrics, follow_streaks_of_sales) {
  MarketMetrics metrics(facts({false, false, true, false}));
  note(metrics, {sold(0), rejected(1)});
  note(metrics, {sold(0), sold(1)});
  note(metrics, {rejected(0)});
  note(metrics, {sold(0), sold(2)});

  const RoundRecord record = note(metrics, {sold(0), sold(1), sold(2)});

  // Seller 0: rounds 1-2, 4-5; seller 1: 2, 5; seller 2: 4-5; seller 3 never.
  EXPECT_NEAR(*record.metric("longest_sales_streak"), (2.0 + 1.0 + 2.0) / 3.0, 1e-12);
  EXPECT_NEAR(*record.metric("mean_sales_streak"), (2.0 + 1.0 + 2.0) / 3.0, 1e-12);
  EXPECT_NEAR(*record.metric("rounds_to_first_sale"), (1.0 + 2.0 + 4.0) / 3.0, 1e-12);
  EXPECT_EQ(record.metric("never_sold"), 0.25);
}

TEST(MarketMetrics, tell_longest_streaks_from_mean_ones) {
  MarketMetrics metrics(facts({false}));
  RoundRecord record;
  for (const bool sells : {true, true, true, false, true}) record = note(metrics, {sells ? sold(0) : rejected(0)});

  EXPECT_EQ(record.metric("longest_sales_streak"), 3.0);
  EXPECT_EQ(record.metric("mean_sales_streak"), 2.0);
}

TEST(MarketMetrics, measure_how_prices_and_incomes_vary_over_rounds) {
  MarketMetrics metrics(facts({false, false}));
  const RoundRecord first = note(metrics, {sold(0, 1 * credit), sold(1, 3 * credit)});  // mean price 2
  note(metrics, {rejected(0)});                                                         // no price
  note(metrics, {sold(1, 6 * credit)});

  const RoundRecord record = note(metrics, {sold(0, 4 * credit)});

  EXPECT_EQ(first.metric("price_variance"), std::nullopt);
  EXPECT_EQ(first.metric("income_variance"), std::nullopt);
  EXPECT_NEAR(*record.metric("price_variance"), 8.0 / 3.0, 1e-12);  // of 2, 6, 4
  // Seller 0: 1, 0, 0, 4; seller 1: 3, 0, 6, 0.
  EXPECT_NEAR(*record.metric("income_variance"), ((17.0 / 4 - 25.0 / 16) + (45.0 / 4 - 81.0 / 16)) / 2, 1e-12);
}

TEST(MarketMetrics, correlate_distance_with_being_bought_over_all_rounds) {
  MarketMetrics metrics(facts({false, false}));
  const auto at = [](SellerRound seller, double distance) {
    seller.distance = distance;
    return seller;
  };
  const RoundRecord first = note(metrics, {at(sold(0), 1.0), at(sold(1), 2.0)});
  const RoundRecord second = note(metrics, {at(rejected(0), 3.0), at(sold(1), 2.0), sold(1)});

  EXPECT_EQ(first.metric("divergence_selection_correlation"), std::nullopt);
  EXPECT_DOUBLE_EQ(*second.metric("divergence_selection_correlation"),
                   *pearson(std::vector<double>{1, 2, 3, 2}, std::vector<double>{1, 1, 0, 1}));
}

TEST(MarketMetrics, set_payments_against_contributions) {
  MarketMetrics metrics(facts({false, false, true, false}));
  const auto worth = [](SellerRound seller, double value) {
    seller.value = value;
    return seller;
  };
  const RoundRecord first = note(
      metrics, {worth(sold(0, 1 * credit), 0.1), worth(sold(1, 9 * credit), 0.2), worth(rejected(2), -0.5), sold(3)});
  const RoundRecord second = note(metrics, {worth(sold(0, 10 * credit), 0.3), sold(3, 50 * credit)});

  const std::vector<double> values{0.1, 0.2, -0.5}, paid{1, 9, 0};
  EXPECT_DOUBLE_EQ(*first.metric("contribution_reward_correlation"), *pearson(values, paid));
  EXPECT_DOUBLE_EQ(*first.metric("contribution_reward_rank_correlation"), 1.0);
  EXPECT_EQ(second.metric("contribution_reward_correlation"), std::nullopt) << "one value";
  const std::vector<double> totals{0.1 + 0.3, 0.2, -0.5}, incomes{11, 9, 0};
  EXPECT_DOUBLE_EQ(*second.metric("contribution_income_correlation"), *pearson(totals, incomes));
  EXPECT_DOUBLE_EQ(*second.metric("contribution_income_rank_correlation"), 1.0);
}

TEST(MarketMetrics, set_incomes_against_the_data_held) {
  std::vector<SellerFacts> sellers{{.samples = 10, .class_shares = {1.0F, 0.0F}},
                                   {.samples = 20, .class_shares = {0.25F, 0.75F}},
                                   {.samples = 30, .class_shares = {}},
                                   {.malicious = true, .samples = 5, .class_shares = {0.0F, 1.0F}}};
  MarketMetrics metrics(sellers);

  const RoundRecord record =
      note(metrics, {sold(0, 4 * credit), sold(1, 2 * credit), sold(2, 1 * credit), sold(3, 7 * credit)});

  EXPECT_DOUBLE_EQ(*record.metric("income_size_correlation"), -1.0);
  std::map<std::int64_t, double> of_class;
  for (const MetricValue& metric : record.metrics) {
    if (metric.name == "income_of_class") of_class[metric.label] = metric.value;
  }
  EXPECT_THAT(of_class, testing::ElementsAre(testing::Pair(0, 4.0 + 0.5), testing::Pair(1, 1.5 + 7.0)));
}

TEST(MarketMetrics, leave_out_what_does_not_exist) {
  MarketMetrics metrics(facts({false, true}));

  const RoundRecord nothing = note(metrics, {});
  const RoundRecord malicious_only = note(metrics, {sold(1)});

  for (const char* name :
       {"malicious_income_share", "benign_malicious_ratio", "payment_gini", "payment_jain", "malicious_selection_rate",
        "selection_entropy", "benign_selection_rate", "divergence_selection_correlation", "longest_sales_streak",
        "rounds_to_first_sale", "price_variance", "contribution_reward_correlation", "income_size_correlation"}) {
    EXPECT_EQ(nothing.metric(name), std::nullopt) << name;
  }
  EXPECT_EQ(nothing.metric("never_sold"), 1.0);
  EXPECT_EQ(nothing.metric("individual_rationality"), 1.0);
  EXPECT_EQ(malicious_only.metric("malicious_income_share"), 1.0);
  EXPECT_EQ(malicious_only.metric("benign_malicious_ratio"), 0.0);
  EXPECT_EQ(malicious_only.metric("payment_gini"), std::nullopt);
  EXPECT_EQ(malicious_only.metric("selection_stability"), 0.0);
}

/// What sums and counts kept between rounds must come to, from all rounds at once.
void expect_as_defined(const std::vector<std::vector<SellerRound>>& rounds, const std::vector<bool>& malicious,
                       const RoundRecord& record) {
  std::vector<double> incomes(malicious.size(), 0.0), sales(malicious.size(), 0.0), distances, bought;
  double spent = 0.0, leaked = 0.0, benign_offered = 0.0, benign_bought = 0.0;
  for (const auto& round : rounds) {
    for (const SellerRound& seller : round) {
      const std::size_t id = seller.seller.value;
      incomes[id] += to_credits(seller.paid);
      sales[id] += seller.bought ? 1.0 : 0.0;
      spent += to_credits(seller.paid);
      if (malicious[id]) leaked += to_credits(seller.paid);
      if (!malicious[id]) benign_offered += 1.0;
      if (!malicious[id] && seller.bought) benign_bought += 1.0;
      if (!seller.distance) continue;
      distances.push_back(*seller.distance);
      bought.push_back(seller.bought ? 1.0 : 0.0);
    }
  }
  EXPECT_NEAR(*record.metric("spent_total"), spent, 1e-9);
  EXPECT_NEAR(*record.metric("budget_leakage"), leaked, 1e-9);
  EXPECT_DOUBLE_EQ(*record.metric("benign_selection_rate"), benign_bought / benign_offered);
  EXPECT_NEAR(*record.metric("selection_entropy"), entropy(sales), 1e-12);
  EXPECT_NEAR(*record.metric("divergence_selection_correlation"), *pearson(distances, bought), 1e-12);
  double variances = 0.0;
  for (std::size_t id = 0; id < malicious.size(); ++id) {
    RunningMoments moments;
    for (const auto& round : rounds) {
      double income = 0.0;
      for (const SellerRound& seller : round) income += seller.seller.value == id ? to_credits(seller.paid) : 0.0;
      moments.add(income);
    }
    variances += moments.variance();
  }
  EXPECT_NEAR(*record.metric("income_variance"), variances / static_cast<double>(malicious.size()), 1e-9);
}

TEST(MarketMetrics, keep_what_their_definitions_need_also_over_saved_state) {
  for (std::uint32_t trial = 0; trial < 100; ++trial) {
    Stream random(31, StreamKey{Purpose::aggregation, {trial}, {}});
    std::vector<bool> malicious(2 + random.below(10));
    for (std::size_t id = 1; id < malicious.size(); ++id) malicious[id] = random.below(3) == 0;
    auto metrics = std::make_unique<MarketMetrics>(facts(malicious));
    std::vector<std::vector<SellerRound>> rounds;
    RoundRecord record;
    for (int round = 0; round < 12; ++round) {
      rounds.emplace_back();
      for (std::uint32_t id = 0; id < malicious.size(); ++id) {
        if (round > 0 && random.below(4) == 0) continue;
        const bool buys = round == 0 || random.below(2) == 0;
        rounds.back().push_back(buys ? sold(id, random.below(3'000'000)) : rejected(id));
        if (random.below(3) > 0) rounds.back().back().distance = random.uniform() + (buys ? 0.0 : 0.5);
      }
      record = note(*metrics, rounds.back());
      SaveArchive saved;
      metrics->serialize(saved);
      metrics = std::make_unique<MarketMetrics>(facts(malicious));
      LoadArchive load(saved.bytes());
      metrics->serialize(load);
      load.expect_end();
    }
    expect_as_defined(rounds, malicious, record);
  }
}

TEST(MarketMetrics, refuse_saved_state_of_other_markets) {
  MarketMetrics three(facts({false, false, false})), two(facts({false, true}));
  SaveArchive saved;
  three.serialize(saved);

  LoadArchive load(saved.bytes());

  EXPECT_THROW(two.serialize(load), InputError);
}

}  // namespace
}  // namespace souk::market_metrics_test
