#include <algorithm>
#include <cmath>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/statistics/ranks.hpp"
#include "analysis/statistics/seed_effects.hpp"
#include "analysis/statistics/student_t.hpp"
#include "analysis/statistics/summary.hpp"
#include "sim/base/normal_distribution.hpp"

namespace souk {
namespace {

TEST(StudentT, quantiles_are_those_of_published_tables) {
  // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2: critical values of Student's t.
  const struct {
    double degrees, p, t;
  } table[] = {{1, 0.90, 3.078},  {1, 0.975, 12.706}, {1, 0.995, 63.657}, {2, 0.975, 4.303},  {3, 0.95, 2.353},
               {4, 0.975, 2.776}, {5, 0.99, 3.365},   {9, 0.975, 2.262},  {10, 0.995, 3.169}, {19, 0.975, 2.093},
               {30, 0.95, 1.697}, {60, 0.975, 2.000}, {100, 0.99, 2.364}};
  for (const auto& [degrees, p, t] : table) {
    EXPECT_NEAR(student_t_quantile(p, degrees), t, 0.0005) << degrees << " " << p;
    EXPECT_NEAR(student_t_quantile(1.0 - p, degrees), -t, 0.0005) << degrees << " " << p;
  }
}

TEST(StudentT, has_its_closed_forms_for_few_degrees_of_freedom) {
  for (const double t : {-1000.0, -3.0, -0.7, -1e-3, 0.0, 0.2, 1.0, 5.0, 1e4}) {
    EXPECT_NEAR(student_t_cdf(t, 1), 0.5 + std::atan(t) / std::numbers::pi, 1e-13) << t;
    EXPECT_NEAR(student_t_cdf(t, 2), 0.5 + t / (2.0 * std::sqrt(2.0 + t * t)), 1e-13) << t;
    EXPECT_NEAR(student_t_cdf(t, 4), 0.5 + t / std::sqrt(4.0 + t * t) * (0.5 + 1.0 / (4.0 + t * t)), 1e-13) << t;
  }
}

TEST(StudentT, becomes_the_normal_distribution) {
  for (const double p : {0.001, 0.3, 0.975}) {
    EXPECT_NEAR(student_t_quantile(p, 1e8), normal_quantile(p), 1e-6);
  }
}

TEST(StudentT, the_quantile_inverts_the_distribution) {
  for (const double degrees : {1.0, 2.5, 7.0, 199.0}) {
    for (const double p : {1e-6, 0.025, 0.4, 0.5, 0.77, 0.999}) {
      EXPECT_NEAR(student_t_cdf(student_t_quantile(p, degrees), degrees), p, 1e-12);
    }
  }
}

TEST(Summary, of_five_numbers_computed_by_hand) {
  // mean 5, squares 16 + 4 + 0 + 1 + 9 = 30 over 4; t(0.975, 4) = 2.7764451
  const std::vector<double> values{9, 3, 5, 6, 2};
  const Summary summary = summarise(values);
  EXPECT_EQ(summary.count, 5U);
  EXPECT_DOUBLE_EQ(summary.mean, 5.0);
  EXPECT_DOUBLE_EQ(summary.deviation, std::sqrt(7.5));
  EXPECT_NEAR(summary.ci95, 2.7764451 * std::sqrt(7.5 / 5.0), 1e-6);
  EXPECT_EQ(summary.median, 5.0);
  EXPECT_EQ(summary.min, 2.0);
  EXPECT_EQ(summary.max, 9.0);
}

TEST(SeedEffects, are_the_spread_over_seeds_whatever_settings_are_taken_together) {
  const auto deviation = [](const std::vector<SeededValue>& values) {
    return summarise(seed_effects(values)).deviation;
  };
  // Settings 10 apart, seeds 1 either side of each: only the seeds spread, by sqrt(2).
  EXPECT_NEAR(deviation({{"a", "1", 0.0}, {"a", "2", 2.0}, {"b", "1", 10.0}, {"b", "2", 12.0}}), std::sqrt(2.0), 1e-12);
  // One setting: the deviation of its values.
  EXPECT_NEAR(deviation({{"a", "1", 1.0}, {"a", "2", 2.0}, {"a", "3", 6.0}}), std::sqrt(7.0), 1e-12);
  // A seed that one setting lacks does not bring the settings' distance in.
  EXPECT_NEAR(deviation({{"a", "1", 0.0}, {"a", "2", 2.0}, {"b", "1", 100.0}}), 0.75 * std::sqrt(2.0), 1e-12);
  EXPECT_TRUE(std::isnan(deviation({{"a", "1", 0.0}, {"b", "1", 10.0}})));
}

TEST(Summary, of_few_values) {
  EXPECT_TRUE(std::isnan(summarise({}).mean));
  const std::vector<double> one{4.0};
  EXPECT_EQ(summarise(one).mean, 4.0);
  EXPECT_EQ(summarise(one).median, 4.0);
  EXPECT_TRUE(std::isnan(summarise(one).deviation));
  EXPECT_TRUE(std::isnan(summarise(one).ci95));
  const std::vector<double> four{4.0, 1.0, 3.0, 8.0};
  EXPECT_EQ(summarise(four).median, 3.5);
}

TEST(Ranks, equal_values_share_the_mean_of_theirs) {
  const std::vector<double> values{5, 1, 5, 2, 5, 1};
  EXPECT_THAT(average_ranks(values, 0.0), testing::ElementsAre(5, 1.5, 5, 3, 5, 1.5));
  EXPECT_TRUE(average_ranks({}, 0.0).empty());
}

TEST(Ranks, values_that_differ_by_rounding_are_equal) {
  const std::vector<double> values{0.1 + 0.2, 0.3, 0.4 - 0.1, 0.300001, std::numeric_limits<double>::infinity()};
  EXPECT_EQ(rounding_of(values), 1e-9 * 0.300001);
  EXPECT_THAT(average_ranks(values, rounding_of(values)), testing::ElementsAre(2, 2, 2, 4, 5));
}

}  // namespace
}  // namespace souk
