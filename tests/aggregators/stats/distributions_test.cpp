#include "aggregators/stats/distributions.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/fixtures/stats_fixtures.hpp"

namespace souk {
namespace {

using namespace fixtures;

void expect_relative(double value, double expected, double tolerance) {
  EXPECT_NEAR(value, expected, tolerance * std::abs(expected) + 1e-300);
}

TEST(Distributions, IncompleteBetaIsScipys) {
  for (std::size_t i = 0; i < beta_cdfs.size(); ++i) {
    const auto arguments = beta_arguments.row(i);
    SCOPED_TRACE(testing::Message() << arguments[0] << ' ' << arguments[1] << ' ' << arguments[2]);
    expect_relative(regularized_incomplete_beta(arguments[0], arguments[1], arguments[2]), beta_cdfs[i], 1e-12);
  }
  EXPECT_EQ(regularized_incomplete_beta(2.0, 3.0, 0.0), 0.0);
  EXPECT_EQ(regularized_incomplete_beta(2.0, 3.0, 1.0), 1.0);
}

TEST(Distributions, ChiSquaredQuantileIsScipys) {
  for (std::size_t i = 0; i < chi_squared_quantiles.size(); ++i) {
    const auto arguments = chi_squared_arguments.row(i);
    SCOPED_TRACE(testing::Message() << arguments[0] << ' ' << arguments[1]);
    expect_relative(chi_squared_quantile(arguments[0], arguments[1]), chi_squared_quantiles[i], 1e-11);
  }
  EXPECT_EQ(chi_squared_quantile(0.0, 4.0), 0.0);
}

}  // namespace
}  // namespace souk
