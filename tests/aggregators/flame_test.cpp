#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/rule_world.hpp"

namespace souk::flame_test {
namespace {

using testing::ElementsAre;

constexpr double third = 1.0 / 3.0;

TEST(Flame, averages_the_majority_clipped_to_the_median_norm) {
  // Directions: three near the first axis, two far from it. Norms 1, 2, 4, 8, 3: the median is 3.
  const RuleRound round{.rows = {{1, 0}, {2, 0}, {4, 0}, {0, 8}, {-3, 0}}};

  const Outcome outcome = run_rule("flame { lambda: 0 compared: UPDATES }", round);

  EXPECT_THAT(outcome.weights, ElementsAre(third, third, third, 0.0, 0.0));
  expect_near(outcome.step, {2.0F, 0.0F}, 1e-6);
  EXPECT_EQ(outcome.diagnostics.at("clipping_norm"), 3.0);
}

TEST(Flame, compares_models_unless_told_to_compare_updates) {
  // Seen from the global parameters {0, 1} the updates 0 and 3 lead the same way, and so do 1, 2 and 4.
  const RuleRound round{.rows = {{0, 1}, {1, 0}, {2, 1}, {0, -0.5F}, {-1, -2}}, .global = {0, 1}};
  //      models:                {0, 2}, {1, 1}, {2, 2}, {0, 0.5},   {-1, -1}
  const Outcome models = run_rule("flame { lambda: 0 }", round);
  const Outcome updates = run_rule("flame { lambda: 0 compared: UPDATES }", round);

  // Models: two pairs at distance 0, at 1 - cos 45 degrees from each other, the fifth at 135 degrees.
  EXPECT_THAT(models.weights, ElementsAre(0.25, 0.25, 0.25, 0.25, 0.0));
  // Updates: at 0, 90, 63, 180 and 207 degrees from the first; {1, 0} and {2, 1} and {0, 1} chain within 63 degrees.
  EXPECT_THAT(updates.weights, ElementsAre(third, third, third, 0.0, 0.0));
}

TEST(Flame, finds_attackers_behind_a_long_global_model) {
  // Cosines of these models differ from 1 by about 1e-9, and by four times that for the attackers.
  Rows rows = random_rows(9, 500, 0.01);
  for (std::size_t i = 0; i < 9; ++i) {
    for (std::size_t c = 0; c < 500; ++c) rows[i][c] += (i % 3 == 1 ? -0.02F : 0.02F) * (c % 2 == 0 ? 1.0F : -1.0F);
  }
  std::vector<float> global = random_rows(10, 500).back();
  for (float& value : global) value *= 300.0F;

  const Outcome outcome = run_rule("flame { lambda: 0 }", {.rows = rows, .global = global});

  for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(outcome.weights[i] == 0.0, i % 3 == 1) << i;
}

TEST(Flame, adds_noise_in_proportion_to_the_median_norm) {
  const RuleRound round{.rows = Rows(3, std::vector<float>(20000, 0.5F)), .global = std::vector<float>(20000, 1.0F)};

  const Outcome noisy = run_rule("flame { lambda: 0.01 }", round);

  const double sigma = 0.01 * 0.5 * std::sqrt(20000.0);
  double mean = 0.0, squares = 0.0;
  for (const float value : noisy.step) {
    const double noise = static_cast<double>(value) - 0.5;
    mean += noise / 20000.0;
    squares += noise * noise / 20000.0;
  }
  EXPECT_NEAR(mean, 0.0, 5.0 * sigma / std::sqrt(20000.0));
  EXPECT_NEAR(std::sqrt(squares), sigma, 5.0 * sigma / std::sqrt(40000.0));
  EXPECT_EQ(run_rule("flame { lambda: 0 }", round).step, round.rows.front());
}

}  // namespace
}  // namespace souk::flame_test
