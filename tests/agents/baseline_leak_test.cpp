// What sellers learn of the buyer's root data in whole runs, and what stops them.
#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "sim/privacy/gaussian_dp.hpp"
#include "tests/support/simulated.hpp"

namespace souk::baseline_leak_test {
namespace {

using testing::HasSubstr;

/// Twelve honest sellers and ten who want to know the buyer's root data. All train in one step, as the root update
/// does.
std::string scenario_of(const std::string& probe, const std::string& market, const std::string& more = "",
                        const std::string& root = "", const std::string& rule = "fltrust {}") {
  return "rounds: 5 task { data { glyphs { train_samples: 1500 test_samples: 60 } } model { mlp { hidden: 12 } } "
         "training { batch_size: 0 learning_rate: 0.1 } } participants { clients: 22 everyone: true } "
         "root { samples: 80 dirichlet_alpha: 0.5 " +
         root + " } aggregator { " + rule + " } " + market + " attacks { count: 10 baseline_probe { " + probe +
         " } } " + more;
}
const std::string by_weight = "market { weight_proportional {} round_budget: 20 }";
const std::string by_unit = "market { unit_price {} }";

std::vector<double> values(const Simulated& run, const std::string& metric) {
  std::vector<double> found;
  for (const RoundRecord& record : run.records) {
    if (const auto value = record.metric(metric)) found.push_back(*value);
  }
  return found;
}

double last(const Simulated& run, const std::string& metric) { return values(run, metric).back(); }

std::string refusal(const std::string& text) {
  try {
    simulate(text);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

TEST(BaselineProbe, payments_by_score_give_class_shares_and_direction_away) {
  for (const std::string submits : {"MIXTURES", "CLASSES"}) {
    const Simulated run = simulate(scenario_of("submits: " + submits, by_weight));
    EXPECT_EQ(values(run, "attack.0.class_share_error").size(), 5U);
    EXPECT_LT(last(run, "attack.0.class_share_error"), 0.5 * last(run, "attack.0.class_share_guess")) << submits;
    EXPECT_GT(values(run, "attack.0.baseline_cosine").front(), 0.4)
        << submits << ": of two unrelated directions it is below 0.03";
  }
}

TEST(BaselineProbe, who_only_looks_on_changes_nothing_but_what_is_recorded) {
  const std::string text = scenario_of("", by_weight);
  const Simulated run = simulate(text);
  EXPECT_LT(last(run, "attack.0.class_share_error"), last(run, "attack.0.class_share_guess"));
  const std::string clean = text.substr(0, text.find("attacks {"));
  EXPECT_EQ(run.hash, simulate(clean).hash);
}

TEST(BaselineProbe, published_shares_tell_as_much_as_payments_by_share) {
  const Simulated paid = simulate(scenario_of("submits: MIXTURES", by_weight));
  const Simulated published =
      simulate(scenario_of("submits: MIXTURES channel: SHARES", "", "server { publishes: WEIGHTS }"));
  EXPECT_EQ(paid.hash, published.hash);
  EXPECT_NEAR(last(paid, "attack.0.class_share_error"), last(published, "attack.0.class_share_error"), 0.01)
      << "payments are whole millionths of a credit";
}

TEST(BaselineProbe, claims_are_the_same_bits_on_any_number_of_ranks_and_after_a_resume) {
  for (const std::string probe : {"submits: MIXTURES", "submits: SIGNED_CLASSES channel: SALES"}) {
    const std::string text = scenario_of(probe, "market { unit_price {} randomized_response { epsilon: 2 } }",
                                         "server { publishes: NOTHING }");
    const Simulated alone = simulate(text);
    EXPECT_EQ(values(simulate(text, 3), "attack.0.class_share_error"), values(alone, "attack.0.class_share_error"));
    const Simulated resumed = simulate(text, 2, 2);
    EXPECT_EQ(resumed.hash, alone.hash);
    EXPECT_EQ(last(resumed, "attack.0.class_share_error"), last(alone, "attack.0.class_share_error"));
  }
}

TEST(BaselineProbe, payments_in_arrears_are_told_as_sums) {
  const std::string in_arrears = "market { weight_proportional {} round_budget: 20 arrears: 2 }";
  const Simulated run = simulate(scenario_of("submits: MIXTURES", in_arrears));
  EXPECT_EQ(values(run, "attack.0.class_share_error").size(), 4U) << "nobody knows anything after round 1";
  EXPECT_LT(last(run, "attack.0.class_share_error"), 0.5 * last(run, "attack.0.class_share_guess"));
  EXPECT_EQ(run.hash, simulate(scenario_of("submits: MIXTURES", by_weight)).hash);
  const Simulated resumed = simulate(scenario_of("submits: MIXTURES", in_arrears), 2, 3);
  EXPECT_EQ(resumed.state, run.state);
  EXPECT_EQ(last(resumed, "attack.0.class_share_error"), last(run, "attack.0.class_share_error"));
  EXPECT_THAT(refusal(scenario_of("channel: SALES", "market { unit_price {} arrears: 2 }")),
              HasSubstr("nobody learns of a single sale"));
}

TEST(BaselineProbe, validators_classes_are_the_truth_where_they_judge) {
  const Simulated run =
      simulate(scenario_of("submits: MIXTURES", by_weight, "validators { min_samples: 1 }", "", "flshield {}"));
  ASSERT_EQ(values(run, "attack.0.class_share_error").size(), 5U);
  EXPECT_NE(values(run, "attack.0.class_share_guess").front(),
            values(simulate(scenario_of("submits: MIXTURES", by_weight)), "attack.0.class_share_guess").front());
  EXPECT_TRUE(values(run, "attack.0.baseline_cosine").empty()) << "nobody has a root update";
}

TEST(BaselineProbe, noise_on_scores_sets_a_limit_that_falls_with_every_round) {
  const Simulated run = simulate(scenario_of("submits: MIXTURES", by_weight, "", "", "fltrust { score_noise: 0.1 }"));
  const std::vector<double> limits = values(run, "attack.0.class_share_limit");
  ASSERT_GE(limits.size(), 3U);
  EXPECT_TRUE(std::ranges::is_sorted(limits, std::greater<>()));
  EXPECT_GT(limits.back(), 0.0);
  const Simulated louder =
      simulate(scenario_of("submits: MIXTURES", by_weight, "", "", "fltrust { score_noise: 0.3 }"));
  EXPECT_GT(last(louder, "attack.0.class_share_limit"), limits.back());
  EXPECT_TRUE(values(simulate(scenario_of("submits: MIXTURES", by_weight)), "attack.0.class_share_limit").empty())
      << "without noise there is none";
  const std::string quality = "market { quality {} }";
  EXPECT_TRUE(values(simulate(scenario_of("submits: MIXTURES", quality, "", "", "fltrust { score_noise: 0.1 }")),
                     "attack.0.class_share_limit")
                  .empty())
      << "the price says the cosine itself";
}

TEST(BaselineProbe, a_share_of_the_root_data_is_another_one_in_every_round) {
  const std::string text = scenario_of("", by_weight, "", "share_per_round: 0.2");
  const Simulated some = simulate(text), three_ranks = simulate(text, 3), broken = simulate(text, 1, 2);
  EXPECT_NE(some.hash, simulate(scenario_of("", by_weight)).hash);
  EXPECT_EQ(some.hash, three_ranks.hash);
  EXPECT_EQ(some.state, broken.state);
  EXPECT_EQ(simulate(scenario_of("", by_weight, "", "share_per_round: 1")).hash,
            simulate(scenario_of("", by_weight)).hash);
  EXPECT_THAT(refusal(scenario_of("", by_unit, "", "share_per_round: 0.5 private {}")),
              HasSubstr("root.share_per_round = 0.5"));
}

TEST(BaselineProbe, channels_that_are_not_there_are_refused) {
  EXPECT_THAT(refusal(scenario_of("", "")), HasSubstr("attacks[0].baseline_probe.channel = PAYMENTS: nobody buys"));
  EXPECT_THAT(refusal(scenario_of("channel: SALES", "")), HasSubstr("channel = SALES: nobody buys"));
  EXPECT_THAT(refusal(scenario_of("channel: SHARES", by_weight, "server { publishes: SELECTED }")),
              HasSubstr("channel = SHARES: the server does not publish weights"));
  EXPECT_THAT(refusal(scenario_of("channel: SHARES", "", "server { publishes: WEIGHTS }", "", "median {}")),
              HasSubstr("has no root data"));
  std::string alone = scenario_of("", by_weight);
  alone.replace(alone.find("count: 10"), 9, "count: 10 knowledge: OWN");
  EXPECT_THAT(refusal(alone), HasSubstr("baseline_probe needs COLLUDERS"));
}

TEST(RandomizedResponse, costs_money_and_not_the_model) {
  const std::string nothing = "server { publishes: NOTHING }";
  const Simulated plain = simulate(scenario_of("channel: SALES", by_unit, nothing));
  const Simulated turned =
      simulate(scenario_of("channel: SALES", "market { unit_price {} randomized_response { epsilon: 0.5 } }", nothing));
  EXPECT_EQ(plain.hash, turned.hash);
  double flips = 0.0;
  for (std::size_t r = 0; r < plain.records.size(); ++r) {
    std::vector<std::int64_t> before, after;
    for (const TransferRow& row : plain.records[r].transfers) {
      if (row.kind == "payment") before.push_back(row.payee);
    }
    for (const TransferRow& row : turned.records[r].transfers) {
      if (row.kind == "payment") after.push_back(row.payee);
    }
    std::ranges::sort(before), std::ranges::sort(after);
    std::vector<std::int64_t> differ;
    std::ranges::set_symmetric_difference(before, after, std::back_inserter(differ));
    EXPECT_EQ(static_cast<double>(differ.size()), turned.records[r].metric("turned_sales").value());
    flips += static_cast<double>(differ.size());
  }
  const double n = 5.0 * 22.0, p = 1.0 / (1.0 + std::exp(0.5));
  EXPECT_NEAR(flips, n * p, 4.0 * std::sqrt(n * p * (1.0 - p)));
}

TEST(RandomizedResponse, is_refused_where_something_else_tells_the_truth) {
  const std::string response = "randomized_response {}";
  EXPECT_THAT(refusal(scenario_of("", "market { weight_proportional {} round_budget: 9 " + response + " }")),
              HasSubstr("only with unit_price"));
  EXPECT_THAT(refusal(scenario_of("", "market { unit_price {} " + response + " }", "server { publishes: WEIGHTS }")),
              HasSubstr("server.publishes = WEIGHTS tells the truth"));
  EXPECT_THAT(refusal(scenario_of("", "market { unit_price {} audit { probability: 1 } " + response + " }",
                                  "server { publishes: NOTHING }")),
              HasSubstr("market.audit"));
}

TEST(PrivateRoot, reports_what_gaussian_mechanisms_compose_to) {
  const Simulated run = simulate(scenario_of("", by_weight, "", "private { noise: 4 delta: 1e-4 }"));
  const std::vector<double> epsilons = values(run, "root.epsilon");
  ASSERT_EQ(epsilons.size(), 5U);
  for (std::size_t t = 0; t < 5; ++t) {
    EXPECT_DOUBLE_EQ(epsilons[t], gdp_epsilon(std::sqrt(static_cast<double>(t + 1)) / 4.0, 1e-4));
  }
}

TEST(PrivateRoot, hides_direction_and_shares_the_better_the_more_noise_there_is) {
  double quiet = 0.0, loud = 0.0;
  for (const std::string seed : {"seed: 1 ", "seed: 2 ", "seed: 3 "}) {
    const auto cosine = [&](const std::string& noise) {
      return values(
                 simulate(seed + scenario_of("submits: MIXTURES", by_weight, "", "private { noise: " + noise + " }")),
                 "attack.0.baseline_cosine")
          .front();
    };
    quiet += cosine("0.001") / 3.0;
    loud += cosine("20") / 3.0;
  }
  EXPECT_GT(quiet, 0.4);
  EXPECT_LT(loud, 0.5 * quiet);
}

TEST(PrivateRoot, gives_the_same_bits_on_any_number_of_ranks_and_after_a_resume) {
  const std::string text = scenario_of("", by_weight, "", "private { clip: 0.5 }");
  const Simulated alone = simulate(text);
  EXPECT_EQ(simulate(text, 3).hash, alone.hash);
  const Simulated resumed = simulate(text, 2, 2);
  EXPECT_EQ(resumed.hash, alone.hash);
  EXPECT_EQ(values(resumed, "root.epsilon"), values(alone, "root.epsilon"));
}

TEST(PrivateRoot, is_refused_where_no_bound_would_hold) {
  const std::string root = "private {}";
  EXPECT_THAT(refusal(scenario_of("channel: SHARES", "", "", root + " always: true", "median {}")),
              HasSubstr("root.private: nothing is scored by a root update"));
  EXPECT_THAT(
      refusal(scenario_of("", "market { weight_proportional {} round_budget: 20 target_accuracy: 0.9 }", "", root)),
      HasSubstr("root.private: the aggregator or the market judges models on the root data"));
}

}  // namespace
}  // namespace souk::baseline_leak_test
