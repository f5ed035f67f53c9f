#include "analysis/tables/seed_effects.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "sim/stats/summary.hpp"

namespace souk::seed_effects_test {
namespace {

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

}  // namespace
}  // namespace souk::seed_effects_test
