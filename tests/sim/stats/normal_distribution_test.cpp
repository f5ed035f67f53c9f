#include "sim/stats/normal_distribution.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "tests/fixtures/stats_fixtures.hpp"

namespace souk::normal_distribution_test {
namespace {

using namespace fixtures;

TEST(NormalDistribution, quantile_is_scipys) {
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    SCOPED_TRACE(probabilities[i]);
    EXPECT_NEAR(normal_quantile(probabilities[i]), normal_quantiles[i], 1e-12 * std::abs(normal_quantiles[i]) + 1e-15);
  }
  EXPECT_EQ(normal_quantile(0.0), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(normal_quantile(1.0), std::numeric_limits<double>::infinity());
}

TEST(NormalDistribution, cdf_is_scipys_in_its_tails_too) {
  for (std::size_t i = 0; i < normal_places.size(); ++i) {
    SCOPED_TRACE(normal_places[i]);
    EXPECT_NEAR(normal_cdf(normal_places[i]), normal_cdfs[i], 1e-13 * normal_cdfs[i]);
  }
}

}  // namespace
}  // namespace souk::normal_distribution_test
