#include "aggregators/stats/imputer.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fixtures/stats_fixtures.hpp"

namespace souk::imputer_test {
namespace {

using namespace fixtures;
using testing::ElementsAre;

void expect_near(const DenseMatrix& result, const DenseMatrix& expected, double tolerance) {
  ASSERT_EQ(result.values.size(), expected.values.size());
  for (std::size_t i = 0; i < expected.values.size(); ++i) EXPECT_NEAR(result.values[i], expected.values[i], tolerance);
}

TEST(ImputeByColumn, TakesMeanMedianOrTheGivenValue) {
  const DenseMatrix gaps = dense(4, 3, {1, nan, nan, nan, 2, nan, 2, 3, nan, 9, nan, nan});
  EXPECT_THAT(impute_by_column(gaps, ColumnFill::mean, -1.0).values,
              ElementsAre(1, 2.5, -1, 4, 2, -1, 2, 3, -1, 9, 2.5, -1));
  EXPECT_THAT(impute_by_column(gaps, ColumnFill::median, 0.0).values,
              ElementsAre(1, 2.5, 0, 2, 2, 0, 2, 3, 0, 9, 2.5, 0));
}

TEST(ImputeIteratively, IsScikitLearns) {
  expect_near(impute_iteratively(tall_gaps, ColumnFill::mean, 0.0), tall_imputed_mean, 1e-8);
  expect_near(impute_iteratively(tall_gaps, ColumnFill::median, 0.0), tall_imputed_median, 1e-8);
  expect_near(impute_iteratively(wide_gaps, ColumnFill::mean, 0.0), wide_imputed_mean, 1e-6);
  expect_near(impute_iteratively(wide_gaps, ColumnFill::median, 0.0), wide_imputed_median, 1e-6);
}

TEST(ImputeIteratively, IsBetterThanTheMeanWhereColumnsAreRelated) {
  const auto error = [](const DenseMatrix& imputed) {
    double sum = 0.0;
    for (std::size_t i = 0; i < tall.values.size(); ++i) sum += std::pow(imputed.values[i] - tall.values[i], 2);
    return sum;
  };
  const double iterative = error(impute_iteratively(tall_gaps, ColumnFill::mean, 0.0));
  EXPECT_LT(iterative, 0.2 * error(impute_by_column(tall_gaps, ColumnFill::mean, 0.0)));
}

TEST(ImputeIteratively, LearnsNothingFromAnEmptyColumn) {
  DenseMatrix gaps(tall_gaps.rows, tall_gaps.columns + 1);
  for (std::size_t i = 0; i < gaps.rows; ++i) {
    gaps(i, 0) = nan;
    for (std::size_t j = 0; j < tall_gaps.columns; ++j) gaps(i, j + 1) = tall_gaps(i, j);
  }
  const DenseMatrix imputed = impute_iteratively(gaps, ColumnFill::mean, 1e6);
  for (std::size_t i = 0; i < gaps.rows; ++i) {
    EXPECT_EQ(imputed(i, 0), 1e6);
    for (std::size_t j = 0; j < tall_gaps.columns; ++j) EXPECT_NEAR(imputed(i, j + 1), tall_imputed_mean(i, j), 1e-8);
  }
}

TEST(ImputeIteratively, LeavesWhatIsKnown) {
  EXPECT_EQ(impute_iteratively(tall, ColumnFill::mean, 0.0).values, tall.values);
  EXPECT_THAT(impute_iteratively(dense(3, 1, {1, nan, 3}), ColumnFill::mean, 0.0).values, ElementsAre(1, 2, 3));
  EXPECT_THAT(impute_iteratively(dense(1, 2, {nan, nan}), ColumnFill::mean, 5.0).values, ElementsAre(5, 5));
  EXPECT_THAT(impute_iteratively(dense(2, 2, {4, nan, nan, nan}), ColumnFill::mean, 5.0).values,
              ElementsAre(4, 5, 4, 5));
}

}  // namespace
}  // namespace souk::imputer_test
