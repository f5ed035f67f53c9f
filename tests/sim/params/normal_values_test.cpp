// Normal values in bulk: the transform against the library's functions, and their distribution.
#include "sim/params/normal_values.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

namespace souk::normal_values_test {
namespace {

const StreamKey name{Purpose::aggregation, AgentId{3}, RoundIndex{4}, 5};

TEST(NormalValues, are_the_transform_of_the_streams_words) {
  std::vector<double> values(100001);
  normal_values(7, name, 0, values);
  Stream stream(7, name);
  const auto unit = [&] {
    const std::uint64_t high = stream.next(), low = stream.next();
    return static_cast<double>((high << 32 | low) >> 12) * 0x1p-52;
  };
  for (std::size_t i = 0; i < values.size(); i += 2) {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - unit()));
    const double angle = 2.0 * std::numbers::pi * unit();
    ASSERT_NEAR(values[i], radius * std::cos(angle), 1e-13 * (1.0 + radius)) << i;
    if (i + 1 == values.size()) break;
    ASSERT_NEAR(values[i + 1], radius * std::sin(angle), 1e-13 * (1.0 + radius)) << i;
  }
}

TEST(NormalValues, may_begin_anywhere_even) {
  std::vector<double> all(3000), some(700);
  normal_values(7, name, 0, all);
  for (const std::size_t first : {std::size_t{2}, std::size_t{512}, std::size_t{1234}}) {
    normal_values(7, name, first, some);
    EXPECT_TRUE(std::ranges::equal(some, std::span(all).subspan(first, some.size())));
  }
}

/// Moments within five standard errors, and the empirical distribution within the 99.9 % point of Kolmogorov's.
TEST(NormalValues, are_normal) {
  std::vector<double> values(1000000);
  normal_values(11, name, 0, values);
  const auto n = static_cast<double>(values.size());
  double mean = 0.0, square = 0.0, fourth = 0.0;
  for (const double value : values) {
    mean += value / n;
    square += value * value / n;
    fourth += value * value * value * value / n;
  }
  EXPECT_NEAR(mean, 0.0, 5.0 / std::sqrt(n));
  EXPECT_NEAR(square, 1.0, 5.0 * std::sqrt(2.0 / n));
  EXPECT_NEAR(fourth, 3.0, 5.0 * std::sqrt(96.0 / n));
  std::ranges::sort(values);
  double farthest = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double expected = 0.5 * std::erfc(-values[i] / std::numbers::sqrt2);
    farthest = std::max(farthest, std::abs(expected - static_cast<double>(i) / n));
  }
  EXPECT_LT(farthest, 1.95 / std::sqrt(n));
}

}  // namespace
}  // namespace souk::normal_values_test
