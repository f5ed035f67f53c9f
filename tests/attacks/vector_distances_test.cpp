#include "attacks/vector_distances.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "scenarios/edge_attacks.pb.h"

namespace souk::vector_distances_test {
namespace {

using scenario::VectorDistance;

std::vector<VectorDistance> all_distances() {
  std::vector<VectorDistance> all;
  for (int kind = scenario::VectorDistance_MIN; kind <= scenario::VectorDistance_MAX; ++kind) {
    all.push_back(static_cast<VectorDistance>(kind));
  }
  return all;
}

TEST(VectorDistances, are_those_of_scipy) {
  // Norms 3 and 5, dot product -5, differences -2, 2 and -6.
  const std::vector<double> a{1, 2, -2}, b{3, 0, 4};
  EXPECT_DOUBLE_EQ(*distance(scenario::COSINE, a, b), 1.0 + 5.0 / 15.0);
  // Less the means 1/3 and 7/3: (2, 5, -7) / 3 and (2, -7, 5) / 3.
  EXPECT_DOUBLE_EQ(*distance(scenario::CORRELATION, a, b), 1.0 + 66.0 / 78.0);
  EXPECT_DOUBLE_EQ(*distance(scenario::EUCLIDEAN, a, b), std::sqrt(44.0));
  EXPECT_DOUBLE_EQ(*distance(scenario::SQEUCLIDEAN, a, b), 44.0);
  EXPECT_DOUBLE_EQ(*distance(scenario::CITYBLOCK, a, b), 10.0);
  EXPECT_DOUBLE_EQ(*distance(scenario::CHEBYSHEV, a, b), 6.0);
  EXPECT_DOUBLE_EQ(*distance(scenario::BRAYCURTIS, a, b), 10.0 / 8.0);
  EXPECT_DOUBLE_EQ(*distance(scenario::CANBERRA, a, b), 2.0 / 4.0 + 2.0 / 2.0 + 6.0 / 6.0);
  EXPECT_EQ(all_distances().size(), 8U);
}

TEST(VectorDistances, are_the_same_in_both_directions) {
  const std::vector<double> a{0.1, 0.7, 0.2}, b{0.3, 0.3, 0.4};
  for (const VectorDistance kind : all_distances()) {
    EXPECT_EQ(*distance(kind, a, b), *distance(kind, b, a)) << kind;
    EXPECT_NEAR(*distance(kind, a, a), 0.0, 1e-15) << kind;
  }
}

TEST(VectorDistances, are_not_defined_for_zeros) {
  const std::vector<double> a{1, 2, -2}, zeros{0, 0, 0};
  for (const VectorDistance kind : all_distances()) {
    EXPECT_FALSE(distance(kind, a, zeros)) << kind;
    EXPECT_FALSE(distance(kind, zeros, a)) << kind;
    EXPECT_FALSE(distance(kind, zeros, zeros)) << kind;
  }
}

TEST(VectorDistances, have_no_correlation_with_a_constant) {
  // The mean of three times 0.1 is not 0.1.
  const std::vector<double> a{1, 2, -2}, constant{0.1, 0.1, 0.1};
  EXPECT_FALSE(distance(scenario::CORRELATION, a, constant));
  EXPECT_FALSE(distance(scenario::CORRELATION, constant, constant));
  EXPECT_TRUE(distance(scenario::COSINE, a, constant));
}

TEST(VectorDistances, divide_by_no_zero) {
  EXPECT_FALSE(distance(scenario::BRAYCURTIS, std::vector<double>{1, -2}, std::vector<double>{-1, 2}));
  EXPECT_DOUBLE_EQ(*distance(scenario::CANBERRA, std::vector<double>{0, 1}, std::vector<double>{0, 3}), 0.5);
}

TEST(VectorDistances, count_zeros_that_are_not_written_out) {
  const std::vector<double> a{1, 2, -2}, b{3, 0, 4}, long_a{1, 0, 2, 0, -2, 0, 0}, long_b{3, 0, 0, 0, 4, 0, 0};
  for (const VectorDistance kind : all_distances()) {
    EXPECT_DOUBLE_EQ(*distance(kind, a, b, 4), *distance(kind, long_a, long_b)) << kind;
  }
  // Equal values and zeros beside them are no constant.
  EXPECT_TRUE(distance(scenario::CORRELATION, std::vector<double>{1, 1}, std::vector<double>{1, 2}, 1));
}

}  // namespace
}  // namespace souk::vector_distances_test
