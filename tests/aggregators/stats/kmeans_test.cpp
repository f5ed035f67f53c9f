#include "aggregators/stats/kmeans.hpp"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aggregators/stats/labels.hpp"
#include "aggregators/stats/similarity.hpp"
#include "sim/base/random.hpp"
#include "tests/fixtures/stats_fixtures.hpp"

namespace souk::kmeans_test {
namespace {

using fixtures::blobs;
using fixtures::dense;
using testing::ElementsAre;

Stream stream(std::uint64_t seed = 1) { return {seed, StreamKey{Purpose::aggregation, {}, {}}}; }

KMeans kmeans_of(const DenseMatrix& points, std::size_t k, std::size_t restarts = 10) {
  Stream random = stream();
  return kmeans(squared_distances(points), k, random, restarts);
}

/// Sum of squared distances to the means of the labels.
double inertia_of(const DenseMatrix& points, std::span<const std::size_t> labels) {
  const DenseMatrix means = cluster_means(points, labels);
  double sum = 0.0;
  for (std::size_t i = 0; i < points.rows; ++i) {
    for (std::size_t c = 0; c < points.columns; ++c) {
      sum += (points(i, c) - means(labels[i], c)) * (points(i, c) - means(labels[i], c));
    }
  }
  return sum;
}

TEST(KMeans, FindsScikitLearnsClusters) {
  EXPECT_EQ(kmeans_of(blobs, 2).labels, numbered_by_first_member(fixtures::blobs_kmeans_2));
  EXPECT_EQ(kmeans_of(blobs, 3).labels, numbered_by_first_member(fixtures::blobs_kmeans_3));
  EXPECT_EQ(kmeans_of(blobs, 5, 100).labels, numbered_by_first_member(fixtures::blobs_kmeans_5));
  EXPECT_NEAR(kmeans_of(blobs, 2).inertia, fixtures::blobs_inertia_2[0], 1e-10);
  EXPECT_NEAR(kmeans_of(blobs, 3).inertia, fixtures::blobs_inertia_3[0], 1e-10);
  EXPECT_NEAR(kmeans_of(blobs, 5, 100).inertia, fixtures::blobs_inertia_5[0], 1e-10);
}

TEST(KMeans, InertiaFromDistancesIsThatOfThePoints) {
  for (std::size_t k = 1; k <= 12; ++k) {
    const KMeans result = kmeans_of(blobs, k, 1);
    EXPECT_EQ(cluster_sizes(result.labels).size(), k);
    EXPECT_NEAR(result.inertia, inertia_of(blobs, result.labels), 1e-10);
  }
}

TEST(KMeans, IsTheSameForTheSameStreamAndMovesItOn) {
  Stream random = stream();
  const SymmetricMatrix distances = squared_distances(blobs);
  const KMeans first = kmeans(distances, 9, random, 1);
  EXPECT_EQ(kmeans_of(blobs, 9, 1).labels, first.labels);
  EXPECT_NE(kmeans(distances, 9, random, 1).labels, first.labels);
}

TEST(KMeans, EndsAtALocalMinimum) {
  const KMeans result = kmeans_of(blobs, 4, 1);
  const DenseMatrix means = cluster_means(blobs, result.labels);
  for (std::size_t i = 0; i < blobs.rows; ++i) {
    std::vector<double> distances;
    for (std::size_t k = 0; k < means.rows; ++k) {
      double sum = 0.0;
      for (std::size_t c = 0; c < 3; ++c) sum += (blobs(i, c) - means(k, c)) * (blobs(i, c) - means(k, c));
      distances.push_back(sum);
    }
    EXPECT_EQ(std::min_element(distances.begin(), distances.end()) - distances.begin(),
              static_cast<std::ptrdiff_t>(result.labels[i]));
  }
}

TEST(KMeans, RefillsAClusterThatItsPointsLeave) {
  for (const std::uint64_t seed : {5655, 9522}) {  // rare: found by search among such sets
    Stream random = stream(seed);
    DenseMatrix points(10, 2);
    for (double& value : points.values) value = std::pow(random.normal(), 3);
    EXPECT_EQ(cluster_sizes(kmeans(squared_distances(points), 4, random, 1).labels).size(), 4U) << seed;
  }
}

TEST(KMeans, FindsNoMoreClustersThanDistinctPoints) {
  const DenseMatrix points = dense(5, 1, {2, 7, 2, 7, 7});
  EXPECT_THAT(kmeans_of(points, 4).labels, ElementsAre(0, 1, 0, 1, 1));
  EXPECT_EQ(kmeans_of(points, 4).inertia, 0.0);
  EXPECT_THAT(kmeans_of(dense(3, 1, {1, 1, 1}), 2).labels, ElementsAre(0, 0, 0));
  EXPECT_THAT(kmeans_of(dense(1, 1, {1}), 3).labels, ElementsAre(0));
}

TEST(KMeans, GivesEveryPointItsOwnClusterIfAsked) {
  EXPECT_THAT(kmeans_of(dense(3, 1, {5, 1, 9}), 3).labels, ElementsAre(0, 1, 2));
}

}  // namespace
}  // namespace souk::kmeans_test
