#include "aggregators/stats/cholesky.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/fixtures/stats_fixtures.hpp"

namespace souk::cholesky_test {
namespace {

using fixtures::dense;

TEST(Cholesky, GivesDeterminantAndInverseForm) {
  const std::optional<Cholesky> factor = Cholesky::of(dense(2, 2, {4, 2, 2, 3}));  // determinant 8
  ASSERT_TRUE(factor);
  EXPECT_NEAR(factor->log_determinant(), std::log(8.0), 1e-15);
  EXPECT_NEAR(factor->inverse_form(std::vector{1.0, 2.0}), (3.0 - 8.0 + 16.0) / 8.0, 1e-15);
}

TEST(Cholesky, ReadsOnlyTheLowerTriangle) {
  const auto factor = Cholesky::of(dense(2, 2, {4, -99, 2, 3}));
  ASSERT_TRUE(factor);
  EXPECT_NEAR(factor->log_determinant(), std::log(8.0), 1e-15);
}

TEST(Cholesky, RefusesWhatIsNotPositiveDefinite) {
  EXPECT_FALSE(Cholesky::of(dense(2, 2, {1, 1, 1, 1})));
  EXPECT_FALSE(Cholesky::of(dense(1, 1, {-1})));
  EXPECT_FALSE(Cholesky::of(dense(1, 1, {fixtures::nan})));
}

TEST(Cholesky, RegularisesOnlyWhereItMust) {
  EXPECT_EQ(Cholesky::regularized(dense(1, 1, {4}), 1.0).log_determinant(), std::log(4.0));
  const Cholesky singular = Cholesky::regularized(dense(2, 2, {1, 1, 1, 1}), 1.0);
  EXPECT_NEAR(singular.inverse_form(std::vector{1.0, 1.0}), 1.0, 1e-9);  // within the range: as if it were regular
  EXPECT_GT(singular.inverse_form(std::vector{1.0, -1.0}), 1e9);         // outside: far away
  EXPECT_NEAR(Cholesky::regularized(dense(1, 1, {0}), 2.0).log_determinant(), std::log(2e-14), 1e-9);
}

}  // namespace
}  // namespace souk::cholesky_test
