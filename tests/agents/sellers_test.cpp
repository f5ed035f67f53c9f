// The sellers' side of a market: costs, asking prices, who comes and to whom, reputations.
#include "agents/market/sellers.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>

#include <gmock/gmock.h>

#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/error.hpp"
#include "sim/base/random.hpp"
#include "sim/engine/scenario_file.hpp"
#include "sim/stats/correlation.hpp"

namespace souk::sellers_test {
namespace {

using testing::ElementsAre;

/// Sellers of a market, and rounds in which they deliver as a test says.
struct Bazaar {
  Bazaar(const std::string& market, std::size_t seller_count, std::size_t buyer_count = 1)
      : scenario(resolve_scenario({"test", "market { " + market + " }", {}})),
        sellers(scenario.scenario->market(), 3, seller_count, buyer_count),
        count(seller_count),
        buyers(buyer_count) {}
  RoundRecord begin() {
    RoundRecord record;
    sellers.begin_round({++round}, record);
    return record;
  }
  RoundRecord end(const std::vector<SellerRound>& outcomes, std::size_t buyer = 0) {
    RoundRecord record;
    sellers.note(buyer, outcomes);
    sellers.end_round(record);
    return record;
  }
  /// Buyers to whom each seller offers; -1: none.
  std::vector<int> offers() const {
    std::vector<int> result(count, -1);
    for (std::uint32_t id = 0; id < count; ++id) {
      for (std::size_t buyer = buyers; buyer-- > 0;) {
        if (sellers.offers_to({id}, buyer, 0.0, std::nullopt)) result[id] = static_cast<int>(buyer);
      }
    }
    return result;
  }
  ResolvedScenario scenario;
  Sellers sellers;
  std::size_t count, buyers;
  std::uint32_t round = 0;
};

TEST(Sellers, bear_costs_by_the_formula) {
  const Bazaar market("costs { per_gflop: 2 per_megabyte: 4 per_round: 1.5 per_thousand_samples: 10 }", 2);

  EXPECT_DOUBLE_EQ(market.sellers.cost({1}, {.flops = 3e9, .bytes = 5e5, .samples = 200}), 6.0 + 2.0 + 1.5 + 2.0);
}

TEST(Sellers, have_log_normal_factors_on_their_costs) {
  const Bazaar market("costs { per_round: 2 sigma: 0.5 }", 4000);
  RunningMoments logarithms;
  for (std::uint32_t id = 0; id < 4000; ++id) logarithms.add(std::log(market.sellers.cost({id}, {}) / 2.0));

  EXPECT_NEAR(logarithms.mean, 0.0, 4.0 * 0.5 / std::sqrt(4000.0));
  EXPECT_NEAR(std::sqrt(logarithms.variance()), 0.5, 0.025);
  EXPECT_EQ(market.sellers.cost({7}, {}), Bazaar("costs { per_round: 2 sigma: 0.5 }", 10).sellers.cost({7}, {}));
}

TEST(Sellers, refuse_costs_beyond_what_can_be_counted) {
  const Bazaar market("costs { per_gflop: 1e6 }", 1);

  EXPECT_THROW(market.sellers.cost({0}, {.flops = 1e13}), InputError);
}

TEST(Sellers, ask_a_fixed_price_or_a_margin_on_the_cost) {
  const Bazaar fixed("sellers { fixed_ask { ask: 2.5 } }", 1), plus("sellers { cost_plus { margin: 0.2 } }", 1),
      truthful("", 1), large("sellers { cost_plus { margin: 1000 } }", 1);

  EXPECT_EQ(fixed.sellers.ask({0}, 7.0), 2'500'000);
  EXPECT_EQ(plus.sellers.ask({0}, 5.0), 6'000'000);
  EXPECT_EQ(truthful.sellers.ask({0}, 0.7), 700'000);
  EXPECT_EQ(large.sellers.ask({0}, 1e8), to_micro(1e9));
}

TEST(Sellers, differ_in_fixed_asks_as_sigma_says) {
  const Bazaar market("sellers { fixed_ask { ask: 3 sigma: 0.4 } } costs { per_round: 1 sigma: 0.4 }", 4000);
  RunningMoments logarithms;
  RunningCorrelation with_costs;
  for (std::uint32_t id = 0; id < 4000; ++id) {
    logarithms.add(std::log(to_credits(market.sellers.ask({id}, 1.0)) / 3.0));
    with_costs.add(to_credits(market.sellers.ask({id}, 1.0)), market.sellers.cost({id}, {}));
  }

  EXPECT_NEAR(logarithms.mean, 0.0, 0.03);
  EXPECT_NEAR(std::sqrt(logarithms.variance()), 0.4, 0.02);
  EXPECT_NEAR(*with_costs.value(), 0.0, 0.08) << "drawn apart from costs";
}

TEST(Sellers, learn_what_they_can_ask) {
  Bazaar market("sellers { adaptive_ask { start: 1.5 step: 0.1 } }", 3);
  market.begin();
  const RoundRecord first = market.end({{{0}, true, 1, 2.0}, {{1}, false, 0, 2.0}});
  EXPECT_EQ(first.metric("mean_ask"), 3.0);
  EXPECT_EQ(market.sellers.ask({0}, 2.0), 3'300'000);
  EXPECT_EQ(market.sellers.ask({1}, 2.0), 2'700'000);
  EXPECT_EQ(market.sellers.ask({2}, 2.0), 3'000'000) << "took no part";

  for (int round = 0; round < 10; ++round) market.end({{{1}, false, 0, 2.0}});

  EXPECT_EQ(market.sellers.ask({1}, 2.0), 2'000'000) << "never below the cost";
  EXPECT_EQ(market.end({}).metric("mean_ask"), std::nullopt);
}

TEST(Sellers, stay_away_where_the_posted_price_is_below_what_they_ask) {
  Bazaar market("sellers { cost_plus { margin: 0.5 } }", 1);
  market.begin();

  EXPECT_TRUE(market.sellers.offers_to({0}, 0, 2.0, to_micro(3.0)));
  EXPECT_FALSE(market.sellers.offers_to({0}, 0, 2.0, to_micro(2.9)));
  EXPECT_TRUE(market.sellers.offers_to({0}, 0, 2.0, std::nullopt));
}

TEST(Sellers, that_are_rational_stay_away_after_a_loss_and_retry_now_and_then) {
  const std::size_t count = 5000;
  Bazaar market("sellers { rational { retry: 0.1 } }", count);
  EXPECT_EQ(market.begin().metric("sellers_present"), 5000.0);
  std::vector<SellerRound> outcomes;
  for (std::uint32_t id = 0; id < count; ++id) outcomes.push_back({{id}, true, id < 1000 ? 2'000'000 : 1'999'999, 2.0});
  market.end(outcomes);

  const RoundRecord second = market.begin();

  const std::vector<int> offers = market.offers();
  EXPECT_EQ(std::count(offers.begin(), offers.begin() + 1000, 0), 1000) << "the price covered the cost";
  EXPECT_NEAR(*second.metric("sellers_present") - 1000.0, 400.0, 4.0 * std::sqrt(4000.0 * 0.1 * 0.9));
  EXPECT_EQ(second.metric("churn"), (5000.0 - *second.metric("sellers_present")) / 5000.0);
  market.end({});
  market.begin();
  EXPECT_NE(market.offers(), offers) << "not asked again, not contented: a draw in every round";
}

TEST(Sellers, come_and_go_at_the_rates_of_churn) {
  const std::size_t count = 4000;
  Bazaar market("sellers { churn { present: 0.25 departure: 0.2 arrival: 0.1 } }", count);
  const RoundRecord first = market.begin();
  EXPECT_EQ(first.metric("sellers_present"), 1000.0);
  EXPECT_EQ(first.metric("churn"), std::nullopt);
  const std::vector<int> before = market.offers();
  const RoundRecord second = market.begin();
  const std::vector<int> after = market.offers();
  int left = 0, arrived = 0;
  for (std::size_t id = 0; id < count; ++id) {
    left += before[id] == 0 && after[id] == -1 ? 1 : 0;
    arrived += before[id] == -1 && after[id] == 0 ? 1 : 0;
  }
  EXPECT_NEAR(left, 200, 4.0 * std::sqrt(1000 * 0.2 * 0.8));
  EXPECT_NEAR(arrived, 300, 4.0 * std::sqrt(3000 * 0.1 * 0.9));
  EXPECT_DOUBLE_EQ(*second.metric("churn"), (left + arrived) / 4000.0);

  for (int round = 0; round < 60; ++round) market.begin();

  const double stationary = 4000.0 * 0.1 / (0.1 + 0.2);
  EXPECT_NEAR(*market.begin().metric("sellers_present"), stationary, 4.0 * std::sqrt(stationary * 2.0 / 3.0));
}

TEST(Sellers, are_shut_out_below_the_least_reputation_and_forgiven_with_time) {
  Bazaar market("sellers { reputation_memory: 0.5 min_reputation: 0.6 }", 3);
  market.begin();
  const RoundRecord first = market.end({{{0}, true, 1, 0.0}, {{1}, false, 0, 0.0}});
  EXPECT_EQ(market.sellers.reputation({0}), 1.0);
  EXPECT_EQ(market.sellers.reputation({1}), 0.5);
  EXPECT_EQ(market.sellers.reputation({2}), 1.0) << "did not deliver";
  EXPECT_EQ(std::ranges::count(first.metrics, "reputation", &MetricValue::name), 3);

  market.begin();
  EXPECT_THAT(market.offers(), ElementsAre(0, -1, 0));
  market.end({});

  market.begin();
  EXPECT_EQ(market.sellers.reputation({1}), 0.75) << "as if it had sold";
  EXPECT_THAT(market.offers(), ElementsAre(0, 0, 0));
}

TEST(Sellers, have_a_reputation_that_shuts_nobody_out_by_default) {
  Bazaar market("", 1);
  for (int round = 0; round < 40; ++round) {
    market.begin();
    EXPECT_EQ(market.end({{{0}, false, 0, 0.0}}).metrics.size(), 1u);  // mean_ask
  }

  EXPECT_NEAR(market.sellers.reputation({0}), std::pow(0.9, 40), 1e-12);
  EXPECT_EQ(market.begin().metric("sellers_present"), 1.0);
}

TEST(Sellers, offer_to_every_buyer_where_sales_are_shared) {
  Bazaar market("", 2, 3);
  market.begin();

  for (std::size_t buyer = 0; buyer < 3; ++buyer) EXPECT_TRUE(market.sellers.offers_to({1}, buyer, 1.0, std::nullopt));
}

TEST(Sellers, try_every_buyer_and_then_choose_the_one_that_pays_best) {
  Bazaar market("sale: EXCLUSIVE", 300, 3);
  const MicroCredits prices[] = {1'000'000, 3'000'000, 2'000'000};
  std::vector<std::set<int>> tried(300);
  std::vector<int> first;
  for (int round = 0; round < 3; ++round) {
    market.begin();
    const std::vector<int> offers = market.offers();
    if (round == 0) first = offers;
    for (std::uint32_t id = 0; id < 300; ++id) {
      tried[id].insert(offers[id]);
      const auto buyer = static_cast<std::size_t>(offers[id]);
      market.sellers.note(buyer, std::vector<SellerRound>{{{id}, true, prices[buyer], 0.5}});
    }
    market.end({});
  }
  for (const std::set<int>& buyers : tried) EXPECT_THAT(buyers, ElementsAre(0, 1, 2));
  for (int buyer = 0; buyer < 3; ++buyer) EXPECT_GT(std::ranges::count(first, buyer), 65) << "drawn";

  market.begin();
  EXPECT_THAT(market.offers(), testing::Each(1));
  // Now buyer 1 cheats them all. The mean goes 2.5, 2.2, 1.93, 1.687, 1.4683: below buyer 2's 1.5 after four rounds.
  for (int round = 1; round <= 4; ++round) {
    std::vector<SellerRound> outcomes;
    for (std::uint32_t id = 0; id < 300; ++id) outcomes.push_back({{id}, false, 0, 0.5});
    EXPECT_THAT(market.offers(), testing::Each(1)) << "round " << round;
    market.end(outcomes, 1);
    market.begin();
  }
  EXPECT_THAT(market.offers(), testing::Each(2));
}

TEST(Sellers, do_not_wait_for_ever_for_a_buyer_that_takes_nothing) {
  Bazaar market("sale: EXCLUSIVE", 20, 2);
  for (int round = 0; round < 30; ++round) {
    market.begin();
    const std::vector<int> offers = market.offers();
    std::vector<SellerRound> outcomes;
    for (std::uint32_t id = 0; id < 20; ++id) {
      if (offers[id] == 0) outcomes.push_back({{id}, true, 100'000, 0.0});
    }
    market.end(outcomes, 0);
  }
  market.begin();

  EXPECT_THAT(market.offers(), testing::Each(0));
}

/// Rounds of random outcomes, with the decisions before each.
std::vector<std::vector<int>> random_rounds(const std::string& text, bool resumes) {
  const std::size_t count = 15, buyers = 3;
  auto market = std::make_unique<Bazaar>(text, count, buyers);
  std::vector<std::vector<int>> decisions;
  for (std::uint32_t round = 1; round <= 25; ++round) {
    market->begin();
    decisions.push_back(market->offers());
    Stream random(9, StreamKey{Purpose::selection, nobody, {round}});
    for (std::uint32_t id = 0; id < count; ++id) {
      decisions.back().push_back(static_cast<int>(market->sellers.ask({id}, 1.0)));
      if (decisions.back()[id] < 0) continue;
      const bool bought = random.below(2) == 0;
      const MicroCredits paid = bought ? random.below(2'000'000) : 0;
      market->sellers.note(static_cast<std::size_t>(decisions.back()[id]),
                           std::vector<SellerRound>{{{id}, bought, paid, 0.5}});
    }
    market->end({});
    if (!resumes) continue;
    SaveArchive saved;
    market->sellers.serialize(saved);
    market = std::make_unique<Bazaar>(text, count, buyers);
    market->round = round;
    LoadArchive load(saved.bytes());
    market->sellers.serialize(load);
    load.expect_end();
  }
  return decisions;
}

TEST(Sellers, decide_the_same_after_every_round_is_saved_and_loaded) {
  for (const char* participation : {"always {}", "rational {}", "churn { present: 0.5 departure: 0.2 arrival: 0.2 }"}) {
    for (const char* asking : {"adaptive_ask {}", "fixed_ask { sigma: 1 }", "cost_plus {}"}) {
      for (const char* sale : {"SHARED", "EXCLUSIVE"}) {
        const std::string text = std::string("sellers { ") + participation + " " + asking +
                                 " min_reputation: 0.3 reputation_memory: 0.6 } sale: " + sale;
        EXPECT_EQ(random_rounds(text, false), random_rounds(text, true)) << text;
      }
    }
  }
}

TEST(Sellers, refuse_saved_state_of_other_markets) {
  Bazaar three("", 3), four("", 4);
  SaveArchive saved;
  three.sellers.serialize(saved);

  LoadArchive load(saved.bytes());

  EXPECT_THROW(four.sellers.serialize(load), InputError);
}

}  // namespace
}  // namespace souk::sellers_test
