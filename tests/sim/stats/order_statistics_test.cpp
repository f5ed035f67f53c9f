#include "sim/stats/order_statistics.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "tests/fixtures/stats_fixtures.hpp"

namespace souk::order_statistics_test {
namespace {

using namespace fixtures;

TEST(Quantile, IsNumpys) {
  const std::span<const double> ten(sample.data(), 10);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    EXPECT_DOUBLE_EQ(quantile(sample, shares[i]), sample_quantiles[i]) << shares[i];
    EXPECT_DOUBLE_EQ(quantile(ten, shares[i]), sample_quantiles_of_first_10[i]) << shares[i];
  }
}

TEST(Quantile, OfOneValueIsThatValue) {
  const std::vector<double> one{3.5};
  for (const double q : {0.0, 0.5, 1.0}) EXPECT_EQ(quantile(one, q), 3.5);
}

TEST(Median, IsTheMiddleOrTheMeanOfTheTwoMiddleOnes) {
  EXPECT_EQ(median(std::vector{5.0, 1.0, 3.0}), 3.0);
  EXPECT_EQ(median(std::vector{5.0, 1.0, 4.0, 2.0}), 3.0);
}

TEST(MedianAbsoluteDeviation, IgnoresOutliers) {
  EXPECT_EQ(median_absolute_deviation(std::vector{1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 900.0}), 1.0);
  EXPECT_EQ(median_absolute_deviation(std::vector{7.0, 7.0, 7.0}), 0.0);
}

}  // namespace
}  // namespace souk::order_statistics_test
