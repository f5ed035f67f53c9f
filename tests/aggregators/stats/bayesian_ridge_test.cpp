#include "aggregators/stats/bayesian_ridge.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/fixtures/stats_fixtures.hpp"

namespace souk::bayesian_ridge_test {
namespace {

using fixtures::dense;

/// The first column from the others.
LinearFit first_from_others(const DenseMatrix& data) {
  DenseMatrix x(data.rows, data.columns - 1);
  std::vector<double> y;
  for (std::size_t i = 0; i < data.rows; ++i) {
    y.push_back(data(i, 0));
    std::copy(data.row(i).begin() + 1, data.row(i).end(), x.row(i).begin());
  }
  return bayesian_ridge(x, y);
}

void expect_fit(const LinearFit& fit, const std::vector<double>& coefficients, double intercept) {
  ASSERT_EQ(fit.coefficients.size(), coefficients.size());
  for (std::size_t j = 0; j < coefficients.size(); ++j) EXPECT_NEAR(fit.coefficients[j], coefficients[j], 1e-9);
  EXPECT_NEAR(fit.intercept, intercept, 1e-9);
}

TEST(BayesianRidge, IsScikitLearnsForMoreRowsThanColumns) {
  expect_fit(first_from_others(fixtures::tall), fixtures::tall_coefficients, fixtures::tall_intercept[0]);
}

TEST(BayesianRidge, IsScikitLearnsForMoreColumnsThanRows) {
  expect_fit(first_from_others(fixtures::wide), fixtures::wide_coefficients, fixtures::wide_intercept[0]);
}

TEST(BayesianRidge, OfConstantsPredictsTheMean) {
  const LinearFit constant_x = bayesian_ridge(dense(3, 1, {4, 4, 4}), std::vector{1.0, 2.0, 6.0});
  EXPECT_EQ(constant_x.coefficients[0], 0.0);
  EXPECT_EQ(constant_x.intercept, 3.0);
  const LinearFit constant_y = bayesian_ridge(dense(3, 1, {1, 2, 3}), std::vector{5.0, 5.0, 5.0});
  EXPECT_EQ(constant_y.coefficients[0], 0.0);
  EXPECT_EQ(constant_y.intercept, 5.0);
  EXPECT_EQ(bayesian_ridge(dense(1, 2, {1, 2}), std::vector{7.0}).intercept, 7.0);
}

TEST(BayesianRidge, RecoversALine) {
  const LinearFit fit = bayesian_ridge(dense(4, 1, {0, 1, 2, 3}), std::vector{1.0, 3.0, 5.0, 7.0});
  EXPECT_NEAR(fit.coefficients[0], 2.0, 1e-5);
  EXPECT_NEAR(fit.intercept, 1.0, 1e-5);
}

}  // namespace
}  // namespace souk::bayesian_ridge_test
