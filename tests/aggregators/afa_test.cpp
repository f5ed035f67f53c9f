#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/rule_world.hpp"

namespace souk::afa_test {
namespace {

Rows one_against_nine() {
  Rows rows = random_rows(10, 50, 0.1);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (float& value : rows[i]) value += i == 2 ? -1.0F : 1.0F;
  }
  return rows;
}

TEST(Afa, drops_the_update_that_points_elsewhere_and_lowers_its_reputation) {
  const Outcome outcome = run_rule("afa {}", {.rows = one_against_nine()});
  EXPECT_EQ(outcome.weights[2], 0.0);
  EXPECT_NEAR(outcome.scores[2], 3.0 / 7.0, 1e-12);
  EXPECT_NEAR(outcome.scores[0], 4.0 / 7.0, 1e-12);
}

TEST(Afa, weighs_by_reputation_times_samples) {
  const Rows rows(4, random_rows(1, 20).front());
  const Outcome outcome = run_rule("afa {}", {.rows = rows, .samples = {10, 20, 30, 40}});
  EXPECT_THAT(outcome.weights, testing::Pointwise(testing::DoubleNear(1e-12), {0.1, 0.2, 0.3, 0.4}));
}

/// With b bad rounds P(share of good < 1/2) = I_(1/2)(3, 3 + b) = P(Bin(5 + b, 1/2) >= 3): 0.945 for b = 5, 0.967
/// for 6.
TEST(Afa, blocks_a_client_after_six_bad_rounds) {
  const auto rule = make_rule("afa {}");
  const RuleRound round{.rows = one_against_nine()};
  for (int b = 0; b < 6; ++b) EXPECT_EQ(run_rule(*rule, Comm::self(), round).diagnostics.at("blocked"), 0.0) << b;
  RuleRound reformed = round;
  reformed.rows[2] = reformed.rows[3];
  const Outcome outcome = run_rule(*rule, Comm::self(), reformed);
  EXPECT_EQ(outcome.diagnostics.at("blocked"), 1.0);
  EXPECT_EQ(outcome.weights[2], 0.0);
  EXPECT_GT(outcome.weights[3], 0.0);
}

}  // namespace
}  // namespace souk::afa_test
