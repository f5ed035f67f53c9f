#include "aggregators/stats/mean_shift.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aggregators/stats/labels.hpp"
#include "tests/fixtures/stats_fixtures.hpp"

namespace souk {
namespace {

using fixtures::crowd;
using fixtures::dense;
using testing::ElementsAre;

TEST(MeanShift, BandwidthIsScikitLearns) {
  EXPECT_NEAR(estimate_bandwidth(crowd, 0.1), fixtures::bandwidth_1[0], 1e-14);
  EXPECT_NEAR(estimate_bandwidth(crowd, 0.3), fixtures::bandwidth_3[0], 1e-14);
  EXPECT_NEAR(estimate_bandwidth(crowd, 0.5), fixtures::bandwidth_5[0], 1e-14);
}

TEST(MeanShift, FindsScikitLearnsClusters) {
  const auto labels = [](double quantile) {
    return numbered_by_first_member(mean_shift(crowd, estimate_bandwidth(crowd, quantile)));
  };
  EXPECT_EQ(labels(0.1), numbered_by_first_member(fixtures::mean_shift_1));
  EXPECT_EQ(labels(0.3), numbered_by_first_member(fixtures::mean_shift_3));
  EXPECT_EQ(labels(0.5), numbered_by_first_member(fixtures::mean_shift_5));
}

TEST(MeanShift, NumbersClustersBySizeThenByFirstMember) {
  const DenseMatrix points = dense(7, 1, {50, 0, 1, 0.5, 90, 91, 51});
  EXPECT_THAT(mean_shift(points, 5.0), ElementsAre(1, 0, 0, 0, 2, 2, 1));
}

TEST(MeanShift, WithoutABandwidthClustersEqualPoints) {
  const DenseMatrix points = dense(5, 1, {0.1, 0.7, 0.7, 0.1, 0.1});
  EXPECT_EQ(estimate_bandwidth(points, 0.2), 0.0);
  EXPECT_THAT(mean_shift(points, 0.0), ElementsAre(0, 1, 1, 0, 0));
  EXPECT_THAT(mean_shift(dense(1, 2, {3, 4}), 0.0), ElementsAre(0));
}

TEST(MeanShift, CountsPointsAtTheBandwidthAsWithin) {
  EXPECT_THAT(mean_shift(dense(3, 1, {0, 1, 2}), 1.0), ElementsAre(0, 0, 0));
  EXPECT_THAT(mean_shift(dense(2, 1, {0, 1}), 0.75), ElementsAre(0, 1));
}

TEST(MeanShift, LeavesOutPointsFartherThanTheBandwidthFromEveryMode) {
  // From 1.4 the climb goes to (0.6 + 1.4) / 2 = 1, from there all zeros are within, and it ends at 0.6 / 11.
  EXPECT_THAT(mean_shift(dense(12, 1, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.6, 1.4}), 1.0),
              ElementsAre(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, noise));
}

}  // namespace
}  // namespace souk
