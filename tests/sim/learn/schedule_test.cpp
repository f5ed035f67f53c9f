#include "sim/learn/schedule.hpp"

#include <gtest/gtest.h>

#include "tests/sim/learn/fixtures.hpp"

namespace souk::schedule_test {
namespace {

double rate(const std::string& training, std::uint32_t round, std::uint32_t rounds = 100) {
  return scheduled_learning_rate(fixtures::parse<scenario::Training>("learning_rate: 0.8 " + training),
                                 RoundIndex{round}, rounds);
}

TEST(Schedule, is_constant_unless_told) {
  EXPECT_DOUBLE_EQ(rate("", 1), 0.8);
  EXPECT_DOUBLE_EQ(rate("", 100), 0.8);
}

TEST(Schedule, steps_down_every_so_many_rounds) {
  const std::string steps = "step_decay { every: 3 factor: 0.5 }";

  EXPECT_DOUBLE_EQ(rate(steps, 3), 0.8);
  EXPECT_DOUBLE_EQ(rate(steps, 4), 0.4);
  EXPECT_DOUBLE_EQ(rate(steps, 7), 0.2);
}

TEST(Schedule, follows_half_a_cosine) {
  EXPECT_DOUBLE_EQ(rate("cosine_decay {}", 1), 0.8);
  EXPECT_NEAR(rate("cosine_decay {}", 51), 0.4, 1e-15);
  EXPECT_NEAR(rate("cosine_decay { final_fraction: 0.5 }", 51), 0.6, 1e-15);
  EXPECT_GT(rate("cosine_decay {}", 100), 0.0);
}

TEST(Schedule, warms_up_linearly_to_its_first_value) {
  EXPECT_DOUBLE_EQ(rate("warmup_rounds: 3", 1), 0.2);
  EXPECT_DOUBLE_EQ(rate("warmup_rounds: 3", 3), 0.6);
  EXPECT_DOUBLE_EQ(rate("warmup_rounds: 3", 4), 0.8);
  EXPECT_DOUBLE_EQ(rate("warmup_rounds: 3 step_decay { every: 1 factor: 0.5 }", 4), 0.8);
  EXPECT_DOUBLE_EQ(rate("warmup_rounds: 3 step_decay { every: 1 factor: 0.5 }", 5), 0.4);
}

}  // namespace
}  // namespace souk::schedule_test
