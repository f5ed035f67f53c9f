#include "sim/stats/bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include <gtest/gtest.h>

namespace souk::bootstrap_test {
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

Stream stream_of_test() { return {7, StreamKey{Purpose::bootstrap, nobody, {}}}; }

TEST(Bootstrap, of_clusters_draws_whole_clusters) {
  // Ten clusters of five equal values: drawn value by value, the mean of 50 would vary a third as much.
  const std::vector<double> value_of_cluster{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  Stream random = stream_of_test();
  const auto mean = [&](std::span<const std::uint32_t> drawn) {
    EXPECT_EQ(drawn.size(), 10U);
    double sum = 0.0;
    for (const std::uint32_t cluster : drawn) sum += 5.0 * value_of_cluster.at(cluster);
    return sum / 50.0;
  };
  const Interval interval = bootstrap_of_clusters(10, 4000, random, mean);
  const Interval of_mean = bootstrap_of_mean(value_of_cluster);
  EXPECT_NEAR(interval.low, of_mean.low, 0.15);
  EXPECT_NEAR(interval.high, of_mean.high, 0.15);
}

TEST(Bootstrap, of_clusters_leaves_out_draws_without_a_number) {
  Stream random = stream_of_test();
  const auto first_if_not_zero = [](std::span<const std::uint32_t> drawn) {
    return drawn[0] == 0 ? std::nan("") : static_cast<double>(drawn[0]);
  };
  const Interval interval = bootstrap_of_clusters(3, 200, random, first_if_not_zero);
  EXPECT_EQ(interval.low, 1.0);
  EXPECT_EQ(interval.high, 2.0);
  const auto never = [](std::span<const std::uint32_t>) { return std::nan(""); };
  EXPECT_TRUE(std::isnan(bootstrap_of_clusters(3, 200, random, never).low));
  EXPECT_TRUE(std::isnan(bootstrap_of_clusters(1, 200, random, first_if_not_zero).high));
  EXPECT_EQ(bootstrap_of_clusters(5, 1, random, [](auto) { return 4.0; }).low, 4.0);
}

}  // namespace
}  // namespace souk::bootstrap_test
