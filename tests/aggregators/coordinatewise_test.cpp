// Rules that work column by column, against their definitions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.hpp"
#include "tests/support/brute_force.hpp"
#include "tests/support/rule_world.hpp"

namespace souk::coordinatewise_test {
namespace {

using testing::DoubleEq;
using testing::Each;
using testing::ElementsAre;

constexpr std::size_t d = 37;

/// Every n from 3 to 40 with no, one and as many malicious updates as can be.
template <class Check>
void for_each_size(Check check) {
  for (std::size_t n = 3; n <= 40; ++n) {
    for (const std::size_t f : {std::size_t{0}, std::size_t{1}, (n - 1) / 2}) check(random_rows(n, d), n, f);
  }
}

TEST(Mean, weighs_by_samples_as_federated_averaging_does) {
  const Outcome outcome = run_rule("mean {}", {.rows = {{1, 10}, {4, 20}}, .samples = {100, 200}});

  EXPECT_THAT(outcome.weights, ElementsAre(DoubleEq(1.0 / 3.0), DoubleEq(2.0 / 3.0)));
  EXPECT_THAT(outcome.step, ElementsAre(3.0F, 50.0F / 3.0F));
}

TEST(Mean, weighs_alike_when_told_to) {
  const Outcome outcome = run_rule("mean { weighting: UNIFORM }", {.rows = {{1, 10}, {4, 20}}, .samples = {100, 200}});

  EXPECT_THAT(outcome.step, ElementsAre(2.5F, 15.0F));
}

TEST(Mean, weighs_alike_when_nobody_reports_samples) {
  const Outcome outcome = run_rule("mean {}", {.rows = {{1, 10}, {4, 20}}, .samples = {0, 0}});

  EXPECT_THAT(outcome.step, ElementsAre(2.5F, 15.0F));
}

TEST(Median, is_the_median_of_every_column) {
  for_each_size([](const Rows& rows, std::size_t, std::size_t) {
    brute_force::expect_close(run_rule("median {}", {.rows = rows}).step,
                              brute_force::by_column(brute_force::of(rows), brute_force::median));
  });
}

TEST(Median, stays_within_the_benign_values_while_attackers_are_fewer_than_half) {
  const Outcome outcome = run_rule("median {}", {.rows = {{1, -1}, {2, -2}, {3, -3}, {1e30F, 1e30F}, {1e30F, -1e30F}}});

  EXPECT_THAT(outcome.step, ElementsAre(3.0F, -2.0F));
}

TEST(TrimmedMean, is_the_mean_without_f_values_at_either_end) {
  for_each_size([](const Rows& rows, std::size_t, std::size_t f) {
    const auto expected = brute_force::by_column(
        brute_force::of(rows), [&](const auto& column) { return brute_force::trimmed_mean(column, f); });
    const Outcome outcome = run_rule("trimmed_mean {}", {.rows = rows, .tolerated_f = f});

    brute_force::expect_close(outcome.step, expected);
    EXPECT_EQ(outcome.diagnostics.at("trimmed_per_end"), static_cast<double>(f));
  });
}

TEST(TrimmedMean, trims_a_ratio_of_the_updates_when_told_to) {
  const Rows rows = random_rows(10, d);
  const auto expected = brute_force::by_column(brute_force::of(rows),
                                               [](const auto& column) { return brute_force::trimmed_mean(column, 3); });

  brute_force::expect_close(run_rule("trimmed_mean { ratio: 0.3 }", {.rows = rows}).step, expected);
  EXPECT_EQ(run_rule("trimmed_mean { ratio: 0.29 }", {.rows = random_rows(100, d)}).diagnostics.at("trimmed_per_end"),
            29.0);
  EXPECT_THROW(make_rule("trimmed_mean { ratio: 0.01 }")->check({.updates = 10}), InputError);
}

TEST(Meamed, is_the_mean_of_the_values_nearest_to_the_median) {
  for_each_size([](const Rows& rows, std::size_t n, std::size_t f) {
    const auto expected = brute_force::by_column(brute_force::of(rows), [&](const auto& column) {
      return brute_force::mean_near(column, brute_force::median(column), n - f);
    });

    brute_force::expect_close(run_rule("meamed {}", {.rows = rows, .tolerated_f = f}).step, expected);
  });
}

TEST(Meamed, keeps_the_update_of_the_smaller_id_of_two_equally_near) {
  EXPECT_THAT(run_rule("meamed { f: 1 }", {.rows = {{1}, {2}, {3}}}).step, ElementsAre(1.5F));
  EXPECT_THAT(run_rule("meamed { f: 1 }", {.rows = {{3}, {2}, {1}}}).step, ElementsAre(2.5F));
}

TEST(Phocas, is_the_mean_of_the_values_nearest_to_the_trimmed_mean) {
  for_each_size([](const Rows& rows, std::size_t n, std::size_t f) {
    const auto expected = brute_force::by_column(brute_force::of(rows), [&](const auto& column) {
      return brute_force::mean_near(column, brute_force::trimmed_mean(column, f), n - f);
    });

    brute_force::expect_close(run_rule("phocas {}", {.rows = rows, .tolerated_f = f}).step, expected);
  });
}

TEST(Slsgd, moves_by_a_share_of_the_trimmed_mean) {
  for_each_size([](const Rows& rows, std::size_t, std::size_t f) {
    const auto expected = brute_force::by_column(
        brute_force::of(rows), [&](const auto& column) { return 0.25 * brute_force::trimmed_mean(column, f); });

    brute_force::expect_close(run_rule("slsgd { alpha: 0.25 }", {.rows = rows, .tolerated_f = f}).step, expected);
  });
}

double sign(double value) { return value > 0.0 ? 1.0 : value < 0.0 ? -1.0 : 0.0; }

double sum_of_signs(const brute_force::Vector& column) {
  double sum = 0.0;
  for (const double value : column) sum += sign(value);
  return sum;
}

TEST(SignMajority, is_the_sign_of_the_sum_of_signs) {
  for_each_size([](const Rows& rows, std::size_t, std::size_t) {
    brute_force::expect_close(
        run_rule("sign_majority {}", {.rows = rows}).step,
        brute_force::by_column(brute_force::of(rows), [](const auto& column) { return sign(sum_of_signs(column)); }));
  });
}

TEST(SignMajority, counts_updates_and_not_magnitudes) {
  const Outcome outcome = run_rule("sign_majority {}", {.rows = {{1, 0, 5}, {-2, 0, -5}, {1e-30F, -0.0F, 0}}});

  EXPECT_THAT(outcome.step, ElementsAre(1.0F, 0.0F, 0.0F));
}

TEST(Rlr, turns_the_base_round_where_too_few_agree) {
  const auto expected_of = [](const Rows& rows, double threshold, const auto& base) {
    return brute_force::by_column(brute_force::of(rows), [&](const auto& column) {
      return (std::abs(sum_of_signs(column)) >= threshold ? 1.0 : -1.0) * base(column);
    });
  };
  const auto mean = [](const auto& column) { return brute_force::trimmed_mean(column, 0); };
  for (std::size_t n = 4; n <= 40; ++n) {
    const Rows rows = random_rows(n, d);

    brute_force::expect_close(run_rule("rlr {}", {.rows = rows}).step, expected_of(rows, 4, mean));
    brute_force::expect_close(run_rule("rlr { threshold: 2 base: MEDIAN }", {.rows = rows}).step,
                              expected_of(rows, 2, brute_force::median));
    brute_force::expect_close(run_rule("rlr { threshold: 3 base: SIGN }", {.rows = rows}).step,
                              expected_of(rows, 3, [](const auto& column) { return sign(sum_of_signs(column)); }));
  }
}

TEST(Rlr, counts_agreement_that_just_reaches_the_threshold) {
  const Rows rows{{1, 1}, {1, 1}, {4, 1}, {-2, 1}};  // agreement 2 and 4, means 1 and 1

  EXPECT_THAT(run_rule("rlr { threshold: 2 }", {.rows = rows}).step, ElementsAre(1.0F, 1.0F));
  EXPECT_THAT(run_rule("rlr { threshold: 3 }", {.rows = rows}).step, ElementsAre(-1.0F, 1.0F));
}

TEST(Rlr, refuses_a_threshold_beyond_the_updates_of_a_round) {
  EXPECT_NO_THROW(make_rule("rlr { threshold: 5 }")->check({.updates = 5}));
  EXPECT_THROW(make_rule("rlr { threshold: 6 }")->check({.updates = 5}), InputError);
}

TEST(Rlr, leaves_a_round_alone_in_which_too_few_updates_could_ever_agree) {
  for (const char* base : {"MEAN", "MEDIAN", "SIGN"}) {
    RuleLog log;
    const std::string rule = std::string("rlr { threshold: 4 base: ") + base + " }";
    const Outcome few = run_rule(rule, {.rows = {{1, -1}, {1, -1}, {1, -1}}, .log = &log});
    EXPECT_THAT(few.step, Each(0.0F)) << base;
    EXPECT_THAT(few.weights, Each(0.0)) << base;
    EXPECT_THAT(log.remarks, ElementsAre(testing::HasSubstr("3 updates cannot reach the threshold of 4")));
    EXPECT_THAT(run_rule(rule, {.rows = {{1, -1}, {1, -1}, {1, -1}, {1, -1}}}).step, ElementsAre(1.0F, -1.0F));
  }
}

TEST(Columnwise, keep_and_reject_no_update_as_a_whole) {
  const Rows rows = random_rows(7, d);
  for (const char* rule : {"median {}", "trimmed_mean {}", "meamed {}", "phocas {}", "sign_majority {}", "slsgd {}",
                           "rlr {}", "pre { nnm {} } median {}", "pre { bucketing {} } trimmed_mean { f: 0 }"}) {
    EXPECT_TRUE(run_rule(rule, {.rows = rows, .tolerated_f = 1}).by_coordinate) << rule;
  }
  for (const char* rule : {"mean {}", "krum {}", "bulyan {}", "geometric_median {}", "err { f: 1 }"}) {
    EXPECT_FALSE(run_rule(rule, {.rows = rows, .tolerated_f = 1}).by_coordinate) << rule;
  }
}

TEST(Columnwise, weigh_everybody_alike) {
  for (const char* rule : {"median {}", "trimmed_mean {}", "meamed {}", "phocas {}", "sign_majority {}", "slsgd {}"}) {
    EXPECT_THAT(run_rule(rule, {.rows = random_rows(5, d), .tolerated_f = 1}).weights, Each(0.2)) << rule;
  }
}

}  // namespace
}  // namespace souk::coordinatewise_test
