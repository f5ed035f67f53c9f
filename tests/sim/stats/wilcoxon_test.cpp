#include "sim/stats/wilcoxon.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "sim/base/random.hpp"
#include "sim/stats/normal_distribution.hpp"
#include "sim/stats/ranks.hpp"

namespace souk::wilcoxon_test {
namespace {

/// Differences 1 … n without ties of which the positive ranks add up to `sum`.
std::vector<double> with_positive_sum(int n, int sum) {
  std::vector<double> differences;
  for (int rank = n; rank >= 1; --rank) {
    const bool positive = rank <= sum;
    if (positive) sum -= rank;
    differences.push_back(positive ? rank : -rank);
  }
  return differences;
}

TEST(Wilcoxon, agrees_with_a_published_example) {
  // Hollander and Wolfe (1973), 29f: depression scale of nine patients; V = 40, two-sided p = 0.0390625.
  const std::vector<double> before{1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30};
  const std::vector<double> after{0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29};
  std::vector<double> differences;
  for (std::size_t i = 0; i < before.size(); ++i) differences.push_back(before[i] - after[i]);
  const Wilcoxon test = wilcoxon_signed_rank(differences, 0.0);
  EXPECT_EQ(test.positive_sum, 40.0);
  EXPECT_DOUBLE_EQ(test.p, 0.0390625);
  EXPECT_TRUE(test.exact);
}

TEST(Wilcoxon, has_the_published_critical_values) {
  // Largest sum with a two-sided p of at most 0.05 (Wilcoxon and Wilcox, 1964).
  const struct {
    int n, critical;
  } table[] = {{6, 0},   {7, 2},   {8, 3},   {9, 5},   {10, 8},  {11, 10}, {12, 13}, {13, 17}, {14, 21},
               {15, 25}, {16, 29}, {18, 40}, {19, 46}, {20, 52}, {23, 73}, {24, 81}, {25, 89}};
  for (const auto& [n, critical] : table) {
    EXPECT_LE(wilcoxon_signed_rank(with_positive_sum(n, critical), 0.0).p, 0.05) << n;
    EXPECT_GT(wilcoxon_signed_rank(with_positive_sum(n, critical + 1), 0.0).p, 0.05) << n;
  }
}

/// Two-sided p over all 2^n signs, with ranks counted pair by pair.
double p_by_enumeration(const std::vector<double>& differences) {
  std::vector<double> magnitudes;
  double observed = 0.0;
  std::vector<double> ranks;
  for (const double d : differences) {
    if (d != 0.0) magnitudes.push_back(std::fabs(d));
  }
  for (const double a : magnitudes) {
    double rank = 0.5;
    for (const double b : magnitudes) rank += b < a ? 1.0 : (b == a ? 0.5 : 0.0);
    ranks.push_back(rank);
  }
  std::size_t at = 0;
  for (const double d : differences) {
    if (d == 0.0) continue;
    if (d > 0.0) observed += ranks[at];
    ++at;
  }
  int lower = 0;
  int upper = 0;
  for (unsigned signs = 0; signs < 1U << ranks.size(); ++signs) {
    double sum = 0.0;
    for (std::size_t i = 0; i < ranks.size(); ++i) sum += (signs >> i & 1U) != 0 ? ranks[i] : 0.0;
    lower += sum <= observed ? 1 : 0;
    upper += sum >= observed ? 1 : 0;
  }
  return std::min(1.0, 2.0 * std::min(lower, upper) / std::pow(2.0, static_cast<double>(ranks.size())));
}

TEST(Wilcoxon, is_the_count_over_all_signs_with_ties_and_zeros) {
  Stream stream(3, StreamKey{Purpose::partition, AgentId{0}, RoundIndex{0}});
  for (int trial = 0; trial < 60; ++trial) {
    std::vector<double> differences(1 + stream.below(11));
    for (double& d : differences) d = static_cast<double>(stream.below(9)) - 3.0;  // many ties, some zeros
    EXPECT_NEAR(wilcoxon_signed_rank(differences, 0.0).p, p_by_enumeration(differences), 1e-14);
  }
}

TEST(Wilcoxon, differences_of_shares_are_equal_up_to_rounding) {
  // Counts out of 500: five differences of +1/500 and one of -1/500, whose doubles are all different.
  const std::vector<double> a{0.792, 0.794, 0.796, 0.798, 0.800, 0.686, 0.1 + 0.2};
  const std::vector<double> b{0.790, 0.792, 0.794, 0.796, 0.798, 0.688, 0.3};
  std::vector<double> differences;
  for (std::size_t i = 0; i < a.size(); ++i) differences.push_back(a[i] - b[i]);

  const Wilcoxon test = wilcoxon_signed_rank(differences, std::max(rounding_of(a), rounding_of(b)));

  EXPECT_EQ(test.count, 6U);
  EXPECT_EQ(test.positive_sum, 5 * 3.5);
  EXPECT_DOUBLE_EQ(test.p, 0.21875);  // 2 * (1 + 6) / 64
}

TEST(Wilcoxon, without_a_difference_nothing_is_told_apart) {
  EXPECT_EQ(wilcoxon_signed_rank({}, 0.0).p, 1.0);
  const std::vector<double> zeros(5, 0.0);
  EXPECT_EQ(wilcoxon_signed_rank(zeros, 0.0).p, 1.0);
  EXPECT_EQ(wilcoxon_signed_rank(zeros, 0.0).count, 0U);
}

TEST(Wilcoxon, many_differences_take_the_normal_approximation) {
  // n = 26, sum 100: mean 175.5, variance 26 * 27 * 53 / 24 = 1550.25; z = 75 / sqrt(1550.25)
  const Wilcoxon plain = wilcoxon_signed_rank(with_positive_sum(26, 100), 0.0);
  EXPECT_FALSE(plain.exact);
  EXPECT_NEAR(plain.p, 2.0 * normal_cdf(-75.0 / std::sqrt(1550.25)), 1e-14);
  // 28 differences of size 1, 20 of them positive: all ranks 14.5, sum 290, mean 203; variance 28 * 29 * 57 / 24 -
  // (28^3 - 28) / 48 = 1928.5 - 456.75
  std::vector<double> tied(28, 1.0);
  std::fill_n(tied.begin(), 8, -1.0);
  EXPECT_NEAR(wilcoxon_signed_rank(tied, 0.0).p, 2.0 * normal_cdf(-86.5 / std::sqrt(1471.75)), 1e-14);
  EXPECT_NEAR(wilcoxon_signed_rank(with_positive_sum(30, 465 / 2), 0.0).p, 1.0, 1e-12);
}

}  // namespace
}  // namespace souk::wilcoxon_test
