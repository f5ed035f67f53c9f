// Markets in which sellers add noise: under which they sell, what it earns and costs, and what is accounted for whom.
#include <cmath>
#include <map>
#include <set>
#include <string>

#include <gmock/gmock.h>

#include "agents/market/ledger.hpp"
#include "sim/base/streams.hpp"
#include "sim/privacy/gaussian_dp.hpp"
#include "tests/agents/market_rounds.hpp"
#include "tests/support/simulated.hpp"

namespace souk::noise_market_test {
namespace {

using testing::HasSubstr;

const std::string bounded = "privacy { fixed { bound: 0.5 } } ";
const std::string two_grades = "grades { noise: 0 price: 1 } grades { noise: 4 price: 0.25 } ";

/// Of so many updates under noise of the client, any two of which differ by 2 S.
double epsilon_of(double noise, double updates) { return gdp_epsilon(2.0 * std::sqrt(updates) / noise, 1e-5); }

/// The last row of every agent with this unit.
std::map<std::int64_t, PrivacyRow> last_rows(const std::vector<RoundRecord>& rounds, const std::string& unit) {
  std::map<std::int64_t, PrivacyRow> rows;
  for (const RoundRecord& round : rounds) {
    for (const PrivacyRow& row : round.privacy) {
      if (row.unit == unit) rows[row.agent] = row;
    }
  }
  return rows;
}

std::map<std::int64_t, double> incomes(const std::vector<RoundRecord>& rounds) {
  std::map<std::int64_t, double> income;
  for (const RoundRecord& round : rounds) {
    for (const TransferRow& row : round.transfers) {
      if (row.kind == "payment") income[row.payee] += to_credits(row.micro_credits);
    }
  }
  return income;
}

TEST(NoiseMarket, every_seller_has_an_account_over_all_buyers) {
  const std::string alone = market("unit_price {}", "privacy { fixed { bound: 0.5 } local_noise: 3 }");
  const Rounds one = run(alone);
  const auto of_one = last_rows(one.rounds, "client");
  ASSERT_EQ(of_one.size(), 8U);
  for (const auto& [seller, row] : of_one) {
    EXPECT_EQ(row.releases, 4);
    EXPECT_NEAR(row.epsilon.value(), epsilon_of(3.0, 4.0), 1e-9);
  }
  EXPECT_NEAR(one.rounds.back().metric("privacy.epsilon").value(), epsilon_of(3.0, 4.0), 1e-9);
  const Rounds two = run(market("unit_price {} rivals { name: \"b\" aggregator { median {} } }",
                                "privacy { fixed { bound: 0.5 } local_noise: 3 }"));
  for (const auto& [seller, row] : last_rows(two.rounds, "client")) {
    EXPECT_EQ(row.releases, 8);
    EXPECT_NEAR(row.epsilon.value(), epsilon_of(3.0, 8.0), 1e-9);
  }
  EXPECT_EQ(two.rounds.back().metric("privacy.epsilon"), two.rounds.back().metric("privacy.mean_epsilon"));
}

TEST(NoiseMarket, buyers_are_sent_noise_of_their_own) {
  const auto name = [](std::size_t owner, std::size_t panel) {
    Stream random(1, streams::noise_of_client(owner, {3}, {2}, panel));
    return random.normal();
  };
  std::set<double> draws;
  for (std::size_t owner = 0; owner < 3; ++owner) {
    for (std::size_t panel = 0; panel < streams::panels; ++panel) draws.insert(name(owner, panel));
  }
  EXPECT_EQ(draws.size(), 3 * streams::panels);
}

TEST(NoiseMarket, a_price_for_what_no_epsilon_bounds_moves_everybody_to_noise) {
  const Rounds open = run(market("unit_price { price: 2 } " + two_grades, bounded));
  for (const auto& [seller, row] : last_rows(open.rounds, "client")) EXPECT_EQ(row.epsilon, std::nullopt);
  EXPECT_EQ(open.rounds.back().metric("privacy.unbounded"), 8.0);
  EXPECT_EQ(open.rounds.back().metric("sold_without_noise"), 8.0);
  EXPECT_EQ(open.rounds.back().metric("saved_by_noise"), std::nullopt);
  EXPECT_EQ(open.sum("spent"), 4 * 8 * 2.0);

  const Rounds shut = run(market("unit_price { price: 2 } costs { without_noise: 1.6 } " + two_grades, bounded));
  for (const auto& [seller, row] : last_rows(shut.rounds, "client")) {
    EXPECT_NEAR(row.epsilon.value(), epsilon_of(4.0, 4.0), 1e-9);
  }
  EXPECT_EQ(shut.rounds.back().metric("sold_without_noise"), 0.0);
  EXPECT_EQ(shut.rounds.back().metric("saved_by_noise"), 8 * 1.5);
  EXPECT_EQ(shut.sum("spent"), 4 * 8 * 0.5);
  const double grown = epsilon_of(4.0, 4.0) - epsilon_of(4.0, 3.0);
  EXPECT_NEAR(shut.rounds.back().metric("credits_per_epsilon").value(), 0.5 / grown, 1e-9);

  // 2 - 1.4 is more than 0.5: the full price is worth it.
  const Rounds worth = run(market("unit_price { price: 2 } costs { without_noise: 1.4 } " + two_grades, bounded));
  EXPECT_EQ(worth.rounds.back().metric("sold_without_noise"), 8.0);
}

/// A grade that leaves a seller more in the first round than the others do, by hand.
TEST(NoiseMarket, sellers_that_value_their_privacy_sell_under_noise) {
  const std::string costs = "costs { without_noise: 1.5 per_epsilon: 0.05 sigma: 1.5 } ";
  const Rounds mixed = run(market("unit_price { price: 2 } " + costs + two_grades, bounded));
  const auto rows = last_rows({mixed.rounds.front()}, "client");
  const auto income = incomes({mixed.rounds.front()});
  std::size_t noised = 0;
  for (std::uint32_t id = 0; id < 8; ++id) {
    Stream random(1, streams::seller_factor(id, 0));
    const double factor = std::exp(1.5 * random.normal());
    const double left_without = 2.0 - factor * 1.5, left_with = 0.5 - factor * 0.05 * epsilon_of(4.0, 1.0);
    const bool noise = left_with > left_without;
    EXPECT_EQ(rows.at(id).epsilon.has_value(), noise) << id;
    EXPECT_EQ(income.at(id), noise ? 0.5 : 2.0) << id;
    noised += noise ? 1 : 0;
  }
  EXPECT_GT(noised, 0U);
  EXPECT_LT(noised, 8U);
}

TEST(NoiseMarket, a_posted_price_is_worth_less_under_noise) {
  const std::string costs = "costs { per_round: 0.4 without_noise: 9 } ";
  EXPECT_EQ(run(market("posted_price { price: 2 } " + costs + two_grades, bounded)).rounds[0].selections.size(), 8U);
  EXPECT_TRUE(run(market("posted_price { price: 1 } " + costs + two_grades, bounded)).rounds[0].selections.empty())
      << "0.4 is more than a quarter of 1";
}

TEST(NoiseMarket, nobody_sells_more_epsilon_than_it_minds) {
  const double limit = epsilon_of(4.0, 2.5);
  const Rounds run_out =
      run(market("unit_price {} sellers { most_epsilon: " + fmt::format("{}", limit) + " } " + two_grades, bounded));
  for (const auto& [seller, row] : last_rows(run_out.rounds, "client")) {
    EXPECT_EQ(row.releases, 2);
    EXPECT_LE(row.epsilon.value(), limit);
  }
  std::size_t spent = 0;
  for (const EventRow& event : run_out.rounds[2].events) spent += event.kind == "epsilon spent" ? 1 : 0;
  EXPECT_EQ(spent, 8U);
  EXPECT_TRUE(run_out.rounds[2].selections.empty()) << "nobody offers";
}

TEST(NoiseMarket, what_is_shared_out_is_shared_out_before_the_noise_is_looked_at) {
  const Rounds full = run(market("weight_proportional {} round_budget: 8 " + two_grades, bounded));
  const Rounds less =
      run(market("weight_proportional {} round_budget: 8 costs { without_noise: 9 } " + two_grades, bounded));
  for (std::size_t r = 0; r < 4; ++r) {
    EXPECT_NEAR(full.rounds[r].metric("spent").value(), 8.0, 1e-9);
    EXPECT_NEAR(less.rounds[r].metric("spent").value(), 2.0, 1e-5);
    EXPECT_NEAR(less.rounds[r].metric("saved_by_noise").value(), 6.0, 1e-5);
  }
}

/// Every millionth is somewhere: what was issued is what accounts hold at the end, and none is below 0.
TEST(NoiseMarket, money_is_conserved) {
  const Rounds mixed =
      run(market("weight_proportional {} round_budget: 7 costs { without_noise: 1.5 sigma: 2 } "
                 "payment_noise: 0.3 rivals { name: \"b\" round_budget: 3 } " +
                     two_grades,
                 bounded));
  std::map<std::int64_t, std::int64_t> balance;
  std::int64_t issued = 0;
  for (const RoundRecord& round : mixed.rounds) {
    for (const TransferRow& row : round.transfers) {
      if (row.kind == "issue") {
        issued += row.micro_credits;
      } else {
        balance[row.payer] -= row.micro_credits;
        EXPECT_GE(balance[row.payer], 0);
      }
      balance[row.payee] += row.micro_credits;
    }
    EXPECT_EQ(balance[account::market], 0);
  }
  std::int64_t held = 0;
  for (const auto& [account, amount] : balance) held += amount;
  EXPECT_EQ(held, issued);
}

TEST(NoiseMarket, the_same_bits_on_any_number_of_ranks_and_after_a_break) {
  const std::string text = market(
      "weight_proportional {} round_budget: 7 costs { without_noise: 1.5 per_epsilon: 0.02 sigma: 2 } "
      "rivals { name: \"b\" aggregator { median {} } round_budget: 3 } " +
          two_grades,
      bounded + "attacks { count: 2 sign_flip {} } ");
  const Simulated one = simulate(text), three = simulate(text, 3), broken = simulate(text, 2, 2);
  EXPECT_EQ(one.hash, three.hash);
  EXPECT_EQ(one.state, three.state);
  EXPECT_EQ(one.state, broken.state);
  for (std::size_t r = 0; r < one.records.size(); ++r) {
    ASSERT_EQ(one.records[r].privacy.size(), three.records[r].privacy.size());
    for (std::size_t k = 0; k < one.records[r].privacy.size(); ++k) {
      EXPECT_EQ(one.records[r].privacy[k].epsilon, three.records[r].privacy[k].epsilon);
    }
  }
}

TEST(NoiseMarket, the_buyer_has_an_account_too) {
  const Rounds turned = run(market("unit_price {} randomized_response { epsilon: 0.5 }"));
  const auto sales = last_rows(turned.rounds, "root data");
  ASSERT_EQ(sales.size(), 1U);
  EXPECT_EQ(sales.begin()->first, account::buyer);
  EXPECT_EQ(sales.begin()->second.releases, 32);
  EXPECT_EQ(sales.begin()->second.epsilon, turned.rounds.back().metric("root.sales_epsilon"));
  EXPECT_LT(sales.begin()->second.epsilon.value(), 16.0) << "less than the sum of 32 sales";
  const Rounds hidden =
      run("rounds: 3 task { data { glyphs { train_samples: 700 test_samples: 100 } } model { mlp { hidden: "
          "12 } } training { batch_size: 16 learning_rate: 0.1 } } participants { clients: 8 everyone: "
          "true } root { samples: 60 private { noise: 2 } } aggregator { fltrust {} } market { "
          "unit_price {} }");
  const auto root = last_rows(hidden.rounds, "root sample");
  ASSERT_EQ(root.size(), 1U);
  EXPECT_NEAR(root.at(account::buyer).epsilon.value(), gdp_epsilon(std::sqrt(3.0) / 2.0, 1e-5), 1e-9);
}

TEST(NoiseMarket, refuses_what_has_no_effect) {
  const auto why = [](const std::string& settings, const std::string& privacy = bounded) {
    return refusal(market(settings, privacy));
  };
  EXPECT_THAT(why("unit_price {} " + two_grades, ""), HasSubstr("market.grades: noise is in bounds"));
  EXPECT_THAT(why("unit_price {} grades { noise: 1 }"), HasSubstr("one alone is no choice"));
  EXPECT_THAT(why("unit_price {} grades { noise: 1 } grades { noise: 1 price: 0.5 }"), HasSubstr("the same noise"));
  EXPECT_THAT(why("vcg {} " + two_grades), HasSubstr("use another payment"));
  EXPECT_THAT(why("unit_price {} costs { per_epsilon: 1 }"), HasSubstr("market.costs.per_epsilon = 1"));
  EXPECT_THAT(why("unit_price {} sellers { most_epsilon: 1 }"), HasSubstr("market.sellers.most_epsilon = 1"));
  EXPECT_THAT(why("unit_price {} costs { without_noise: 1 } grades { noise: 1 } grades { noise: 2 }"),
              HasSubstr("no grade offers to sell without noise"));
  EXPECT_THAT(why("unit_price {} " + two_grades, "privacy { local_noise: 1 }"), HasSubstr("privacy.local_noise = 1"));
  EXPECT_THAT(why("unit_price {} " + two_grades, "privacy { budget: 1 }"), HasSubstr("privacy.budget = 1"));
  EXPECT_THAT(why("unit_price {}", "aggregator { mean { weighting: UNIFORM } } privacy { noise_multiplier: 1 }"),
              HasSubstr("privacy.noise_multiplier = 1: what buyers pay"));
  EXPECT_THAT(why("unit_price {} rivals { name: \"b\" }", "privacy { adaptive {} }"), HasSubstr("privacy.adaptive"));
}

}  // namespace
}  // namespace souk::noise_market_test
