#include "sim/stats/ranks.hpp"

#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace souk::ranks_test {
namespace {

TEST(Ranks, equal_values_share_the_mean_of_theirs) {
  const std::vector<double> values{5, 1, 5, 2, 5, 1};
  EXPECT_THAT(average_ranks(values, 0.0), testing::ElementsAre(5, 1.5, 5, 3, 5, 1.5));
  EXPECT_TRUE(average_ranks({}, 0.0).empty());
}

TEST(Ranks, values_that_differ_by_rounding_are_equal) {
  const std::vector<double> values{0.1 + 0.2, 0.3, 0.4 - 0.1, 0.300001, std::numeric_limits<double>::infinity()};
  EXPECT_EQ(rounding_of(values), 1e-9 * 0.300001);
  EXPECT_THAT(average_ranks(values, rounding_of(values)), testing::ElementsAre(2, 2, 2, 4, 5));
}

}  // namespace
}  // namespace souk::ranks_test
