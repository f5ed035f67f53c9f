#include "sim/params/symmetric_eigen.hpp"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "sim/base/random.hpp"

namespace souk::symmetric_eigen_test {
namespace {

SymmetricMatrix random_matrix(std::size_t n) {
  Stream random(3, StreamKey{Purpose::aggregation, {}, {}});
  SymmetricMatrix matrix = SymmetricMatrix::zeros(n);
  for (double& value : matrix.lower) value = random.normal();
  return matrix;
}

SymmetricMatrix diagonal(const std::vector<double>& values) {
  SymmetricMatrix matrix{values.size(), {}};
  for (std::size_t i = 0; i < values.size(); ++i) {
    matrix.lower.resize(matrix.lower.size() + i, 0.0);
    matrix.lower.push_back(values[i]);
  }
  return matrix;
}

double inner(std::span<const double> a, std::span<const double> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// Largest entry of A v - lambda v.
double residual(const SymmetricMatrix& matrix, double lambda, std::span<const double> v) {
  double largest = 0.0;
  for (std::size_t i = 0; i < matrix.order; ++i) {
    double sum = -lambda * v[i];
    for (std::size_t j = 0; j < matrix.order; ++j) sum += matrix(i, j) * v[j];
    largest = std::max(largest, std::abs(sum));
  }
  return largest;
}

void expect_eigen_of(const SymmetricMatrix& matrix, double tolerance) {
  const SymmetricEigen eigen = symmetric_eigen(matrix);
  for (std::size_t k = 0; k < matrix.order; ++k) {
    EXPECT_LE(residual(matrix, eigen.values[k], eigen.vectors.row(k)), tolerance);
    EXPECT_TRUE(k == 0 || eigen.values[k - 1] >= eigen.values[k]);
    for (std::size_t l = 0; l <= k; ++l) {
      EXPECT_NEAR(inner(eigen.vectors.row(k), eigen.vectors.row(l)), k == l ? 1.0 : 0.0, 1e-13);
    }
  }
}

TEST(SymmetricEigen, SolvesRandomMatricesOfEverySize) {
  for (const std::size_t n : {1, 2, 3, 4, 5, 17, 60}) expect_eigen_of(random_matrix(n), 1e-12);
}

TEST(SymmetricEigen, SolvesWhatDegenerates) {
  expect_eigen_of(diagonal({0, 0, 0, 0}), 0.0);
  expect_eigen_of(diagonal({2, -1, 2, 5, 2}), 0.0);
  expect_eigen_of({5, std::vector<double>(15, 1.0)}, 1e-14);  // rank 1
  SymmetricMatrix huge = random_matrix(9);
  for (double& value : huge.lower) value *= 1e150;
  expect_eigen_of(huge, 1e137);
  SymmetricMatrix graded = random_matrix(6);
  for (std::size_t i = 0; i < graded.lower.size(); ++i) graded.lower[i] *= std::pow(10.0, -static_cast<double>(i));
  expect_eigen_of(graded, 1e-14);
}

TEST(SymmetricEigen, FindsKnownValues) {
  // The second difference of 6 points: 2 - 2 cos(k pi / 7).
  SymmetricMatrix path = diagonal({2, 2, 2, 2, 2, 2});
  for (std::size_t i = 1; i < 6; ++i) path(i, i - 1) = -1.0;
  const SymmetricEigen eigen = symmetric_eigen(path);
  for (std::size_t k = 0; k < 6; ++k) {
    EXPECT_NEAR(eigen.values[k], 2.0 - 2.0 * std::cos(static_cast<double>(6 - k) * std::numbers::pi / 7.0), 1e-14);
  }
}

TEST(SymmetricEigen, MakesTheEntryLargestInMagnitudePositive) {
  const SymmetricEigen eigen = symmetric_eigen(random_matrix(12));
  for (std::size_t k = 0; k < 12; ++k) {
    double largest = 0.0;
    for (const double value : eigen.vectors.row(k)) largest = std::abs(value) > std::abs(largest) ? value : largest;
    EXPECT_GT(largest, 0.0);
  }
}

TEST(PowerIteration, FindsTheLargestEigenpair) {
  const SymmetricMatrix matrix = diagonal({1, 1.5, 7, 6, 0});
  const TopEigen top = power_iteration(matrix, 1e-12);
  EXPECT_NEAR(top.value, 7.0, 1e-12);
  EXPECT_LE(residual(matrix, top.value, top.vector), 1e-11);
  EXPECT_NEAR(top.vector[2], 1.0, 1e-12);
}

TEST(PowerIteration, FindsItWhereTheOnesVectorIsInTheNullSpace) {
  const SymmetricMatrix centred{2, {1.0, -1.0, 1.0}};
  EXPECT_NEAR(power_iteration(centred, 1e-12).value, 2.0, 1e-12);
}

TEST(PowerIteration, OfZeroIsZeroAndOfAMultipleEigenvalueSomeVectorOfIt) {
  EXPECT_EQ(power_iteration(diagonal({0, 0, 0}), 1e-9).value, 0.0);
  const TopEigen top = power_iteration(diagonal({3, 3, 1}), 1e-12);
  EXPECT_NEAR(top.value, 3.0, 1e-12);
  EXPECT_NEAR(inner(top.vector, top.vector), 1.0, 1e-12);
}

}  // namespace
}  // namespace souk::symmetric_eigen_test
