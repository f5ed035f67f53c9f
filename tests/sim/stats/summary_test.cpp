#include "sim/stats/summary.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace souk::summary_test {
namespace {

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

}  // namespace
}  // namespace souk::summary_test
