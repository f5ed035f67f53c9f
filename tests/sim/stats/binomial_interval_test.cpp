#include "sim/stats/binomial_interval.hpp"

#include <gtest/gtest.h>

namespace souk::binomial_interval_test {
namespace {

TEST(ClopperPearson, gives_the_published_limits) {
  const Interval one = clopper_pearson(1, 1000, 0.95);
  EXPECT_NEAR(one.low, 2.532e-5, 5e-9);
  EXPECT_NEAR(one.high, 0.005559, 5e-7);
  const Interval none = clopper_pearson(0, 1000, 0.95);
  EXPECT_EQ(none.low, 0.0);
  EXPECT_NEAR(none.high, 0.003682, 5e-7);
  const Interval five = clopper_pearson(5, 500, 0.95);
  EXPECT_NEAR(five.low, 0.003255, 5e-7);
  EXPECT_NEAR(five.high, 0.023181, 5e-7);
  EXPECT_EQ(clopper_pearson(7, 7, 0.95).high, 1.0);
}

}  // namespace
}  // namespace souk::binomial_interval_test
