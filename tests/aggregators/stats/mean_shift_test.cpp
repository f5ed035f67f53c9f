#include "aggregators/stats/mean_shift.hpp"

#include <cmath>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aggregators/stats/labels.hpp"
#include "tests/fixtures/stats_fixtures.hpp"

namespace souk::mean_shift_test {
namespace {

using fixtures::crowd;
using fixtures::dense;
using testing::ElementsAre;

TEST(MeanShift, BandwidthIsScikitLearns) {
  EXPECT_NEAR(estimate_bandwidth(crowd, 0.1), fixtures::bandwidth_1[0], 1e-14);
  EXPECT_NEAR(estimate_bandwidth(crowd, 0.3), fixtures::bandwidth_3[0], 1e-14);
  EXPECT_NEAR(estimate_bandwidth(crowd, 0.5), fixtures::bandwidth_5[0], 1e-14);
}

/// Whether two partitions agree on the points that are in a cluster of the first.
bool agree_in_clusters(const std::vector<std::size_t>& ours, const std::vector<std::size_t>& theirs) {
  std::map<std::size_t, std::size_t> there, back;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (ours[i] == noise) continue;
    if (there.try_emplace(ours[i], theirs[i]).first->second != theirs[i]) return false;
    if (back.try_emplace(theirs[i], ours[i]).first->second != ours[i]) return false;
  }
  return true;
}

TEST(MeanShift, FindsScikitLearnsClusters) {
  // The fixtures are made with cluster_all, so that every point has a label; ours leaves some out.
  const auto labels = [](double quantile) { return mean_shift(crowd, estimate_bandwidth(crowd, quantile)); };
  EXPECT_TRUE(agree_in_clusters(labels(0.1), fixtures::mean_shift_1));
  EXPECT_TRUE(agree_in_clusters(labels(0.3), fixtures::mean_shift_3));
  EXPECT_TRUE(agree_in_clusters(labels(0.5), fixtures::mean_shift_5));
}

/// Where a climb with a flat kernel ends.
std::vector<double> end_of_climb(std::vector<double> place, double bandwidth) {
  for (int step = 0; step < 1000; ++step) {
    std::vector<double> sum(crowd.columns, 0.0);
    double within = 0.0;
    for (std::size_t i = 0; i < crowd.rows; ++i) {
      double square = 0.0;
      for (std::size_t c = 0; c < crowd.columns; ++c) square += std::pow(crowd(i, c) - place[c], 2);
      if (square > bandwidth * bandwidth) continue;
      within += 1.0;
      for (std::size_t c = 0; c < crowd.columns; ++c) sum[c] += crowd(i, c);
    }
    for (std::size_t c = 0; c < crowd.columns; ++c) place[c] = sum[c] / within;
  }
  return place;
}

TEST(MeanShift, LeavesOutWhoIsFartherThanTheBandwidthFromTheModesOfAllClusters) {
  // Every cluster has its mode where climbs of its members end; a point is in one just if some mode is near.
  for (const double quantile : {0.1, 0.3, 0.5}) {
    const double bandwidth = estimate_bandwidth(crowd, quantile);
    const auto labels = mean_shift(crowd, bandwidth);
    std::vector<std::vector<double>> ends;
    for (std::size_t i = 0; i < crowd.rows; ++i) {
      ends.push_back(end_of_climb({crowd.row(i).begin(), crowd.row(i).end()}, bandwidth));
    }
    for (std::size_t i = 0; i < crowd.rows; ++i) {
      bool near = false;
      for (std::size_t j = 0; j < crowd.rows; ++j) {
        if (labels[j] == noise) continue;
        double square = 0.0;
        for (std::size_t c = 0; c < crowd.columns; ++c) square += std::pow(crowd(i, c) - ends[j][c], 2);
        near = near || (square <= bandwidth * bandwidth && (labels[i] == noise || labels[i] == labels[j]));
      }
      if (labels[i] != noise) {
        EXPECT_TRUE(near) << quantile << ' ' << i;
      }
    }
  }
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
}  // namespace souk::mean_shift_test
