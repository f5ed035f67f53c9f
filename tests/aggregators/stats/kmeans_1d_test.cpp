#include "aggregators/stats/kmeans_1d.hpp"

#include <algorithm>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/random.hpp"

namespace souk::kmeans_1d_test {
namespace {

using testing::ElementsAre;

double dispersion(std::span<const double> values) {
  double mean = 0.0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  double sum = 0.0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return sum;
}

/// The least dispersion of sorted values in at most k runs, by trying all.
double least_dispersion(std::span<const double> sorted, std::size_t k) {
  if (sorted.empty()) return 0.0;
  if (k == 0) return std::numeric_limits<double>::infinity();
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t size = 1; size <= sorted.size(); ++size) {
    best = std::min(best, dispersion(sorted.first(size)) + least_dispersion(sorted.subspan(size), k - 1));
  }
  return best;
}

TEST(KMeans1d, IsTheBestOfAllPartitions) {
  Stream random(1, StreamKey{Purpose::aggregation, {}, {}});
  for (int trial = 0; trial < 20; ++trial) {
    std::vector<double> values(1 + random.below(9));
    for (double& value : values) value = trial % 2 == 0 ? random.normal() : random.below(4);  // every other with ties
    std::vector<double> sorted = values;
    std::sort(sorted.begin(), sorted.end());
    const std::vector<double> dispersions = kmeans_1d_dispersions(values, 6);
    for (std::size_t k = 1; k <= 6; ++k) {
      const KMeans1d result = kmeans_1d(values, k);
      const double least = least_dispersion(sorted, k);
      EXPECT_NEAR(result.dispersion, least, 1e-13);
      EXPECT_NEAR(dispersions[k - 1], least, 1e-13);
      double labelled = 0.0;
      for (std::size_t i = 0; i < values.size(); ++i) {
        const double distance = values[i] - result.centroids[result.labels[i]];
        labelled += distance * distance;
      }
      EXPECT_NEAR(labelled, least, 1e-13) << "labels and centroids belong together";
      EXPECT_TRUE(std::is_sorted(result.centroids.begin(), result.centroids.end()));
    }
  }
}

TEST(KMeans1d, NumbersClustersFromTheLowest) {
  const KMeans1d result = kmeans_1d(std::vector{5.0, -1.0, 9.0, 5.5, -1.5}, 3);
  EXPECT_THAT(result.labels, ElementsAre(1, 0, 2, 1, 0));
  EXPECT_THAT(result.centroids, ElementsAre(-1.25, 5.25, 9.0));
}

TEST(KMeans1d, FindsNoMoreClustersThanDistinctValues) {
  const KMeans1d result = kmeans_1d(std::vector{2.0, 2.0, 0.1, 2.0, 0.1}, 4);
  EXPECT_THAT(result.labels, ElementsAre(1, 1, 0, 1, 0));
  EXPECT_THAT(result.centroids, ElementsAre(0.1, 2.0));
  EXPECT_EQ(result.dispersion, 0.0);
  EXPECT_THAT(kmeans_1d_dispersions(std::vector{0.1, 0.1, 0.1}, 3), ElementsAre(0.0, 0.0, 0.0));
  EXPECT_THAT(kmeans_1d(std::vector{4.0}, 2).labels, ElementsAre(0));
}

TEST(KMeans1d, BreaksTiesTowardsLargerHigherClusters) {
  EXPECT_THAT(kmeans_1d(std::vector{0.0, 1.0, 2.0}, 2).labels, ElementsAre(0, 1, 1));
}

TEST(KMeans1d, KeepsItsPrecisionFarFromZero) {
  EXPECT_EQ(kmeans_1d(std::vector{1e8 + 1.0, 1e8 + 2.0, 1e8 + 3.0}, 1).dispersion, 2.0);
}

}  // namespace
}  // namespace souk::kmeans_1d_test
