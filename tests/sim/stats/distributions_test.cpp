#include "sim/stats/distributions.hpp"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "tests/fixtures/stats_fixtures.hpp"

namespace souk::distributions_test {
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

TEST(Distributions, IncompleteBetaTellsPlacesApartThatAreAllNearOne) {
  // I_x(1/2, 1/2) = 2/pi asin(sqrt(x)): what is left to 1 is 2/pi sqrt(1 - x) there, far below the distance of doubles.
  for (const double rest : {1e-20, 1e-30}) {
    EXPECT_NEAR(regularized_incomplete_beta(0.5, 0.5, 1.0, rest), 1.0 - 2.0 / std::numbers::pi * std::sqrt(rest),
                2e-16);
  }
  for (const double x : {0.1, 0.5, 0.9}) {
    expect_relative(regularized_incomplete_beta(3.0, 7.5, x, 1.0 - x), regularized_incomplete_beta(3.0, 7.5, x), 1e-14);
  }
  EXPECT_EQ(regularized_incomplete_beta(2.0, 3.0, 0.0, 1.0), 0.0);
  EXPECT_EQ(regularized_incomplete_beta(2.0, 3.0, 1.0, 0.0), 1.0);
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
}  // namespace souk::distributions_test
