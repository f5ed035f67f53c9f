#include "sim/stats/bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace souk {
namespace {

/// Means of all n^n resamples of n values, ascending.
std::vector<double> all_resampled_means(const std::vector<double>& values) {
  const std::size_t n = values.size();
  std::vector<double> means;
  std::vector<std::size_t> drawn(n, 0);
  for (bool more = true; more;) {
    double sum = 0.0;
    for (const std::size_t i : drawn) sum += values[i];
    means.push_back(sum / static_cast<double>(n));
    std::size_t digit = 0;
    while (digit < n && ++drawn[digit] == n) drawn[digit++] = 0;
    more = digit < n;
  }
  std::ranges::sort(means);
  return means;
}

TEST(Bootstrap, is_near_the_interval_over_all_resamples) {
  // The share of 10000 draws below a quantile has a standard deviation of 0.16 points: 0.8 points are 5 of them.
  const std::vector<double> values{0.3, -1.0, 4.0, 2.2, 0.9, 1.7};
  const std::vector<double> all = all_resampled_means(values);
  const auto quantile = [&](double p) { return all[static_cast<std::size_t>(p * static_cast<double>(all.size()))]; };
  const Interval interval = bootstrap_of_mean(values);
  EXPECT_GE(interval.low, quantile(0.017));
  EXPECT_LE(interval.low, quantile(0.033));
  EXPECT_GE(interval.high, quantile(0.967));
  EXPECT_LE(interval.high, quantile(0.983));
}

TEST(Bootstrap, of_values_that_leave_no_choice) {
  const std::vector<double> one{2.5};  // says nothing about its spread
  EXPECT_TRUE(std::isnan(bootstrap_of_mean(one).low));
  EXPECT_TRUE(std::isnan(bootstrap_of_mean(one).high));
  // Of two values each is drawn twice with probability 1/4: the interval is the whole range.
  const std::vector<double> two{0.0, 1.0};
  EXPECT_EQ(bootstrap_of_mean(two).low, 0.0);
  EXPECT_EQ(bootstrap_of_mean(two).high, 1.0);
  EXPECT_TRUE(std::isnan(bootstrap_of_mean({}).low));
}

}  // namespace
}  // namespace souk
