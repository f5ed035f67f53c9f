#include "aggregators/stats/silhouette.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "aggregators/stats/labels.hpp"
#include "aggregators/stats/similarity.hpp"
#include "tests/fixtures/stats_fixtures.hpp"

namespace souk::silhouette_test {
namespace {

using Labels = std::vector<std::size_t>;

SymmetricMatrix distances_of(const DenseMatrix& points) {
  SymmetricMatrix distances = squared_distances(points);
  for (double& value : distances.lower) value = std::sqrt(value);
  return distances;
}

TEST(Silhouette, IsScikitLearns) {
  const SymmetricMatrix distances = distances_of(fixtures::blobs);
  EXPECT_NEAR(mean_silhouette(distances, fixtures::blobs_kmeans_2), fixtures::blobs_silhouette_2[0], 1e-14);
  EXPECT_NEAR(mean_silhouette(distances, fixtures::blobs_kmeans_3), fixtures::blobs_silhouette_3[0], 1e-14);
  EXPECT_NEAR(mean_silhouette(distances, fixtures::blobs_kmeans_5), fixtures::blobs_silhouette_5[0], 1e-14);
  EXPECT_NEAR(mean_silhouette(distances, fixtures::singleton_labels), fixtures::singleton_silhouette[0], 1e-14);
}

TEST(Silhouette, CountsZeroForAPointAlone) {
  const SymmetricMatrix distances = distances_of(fixtures::dense(3, 1, {0, 1, 5}));
  EXPECT_NEAR(mean_silhouette(distances, Labels{0, 0, 1}), (4.0 / 5.0 + 3.0 / 4.0 + 0.0) / 3.0, 1e-15);
  EXPECT_EQ(mean_silhouette(distances, Labels{0, 1, 2}), 0.0);
}

TEST(Silhouette, OfOneClusterOrOfEqualPointsIsZero) {
  EXPECT_EQ(mean_silhouette(distances_of(fixtures::dense(3, 1, {0, 1, 5})), Labels{0, 0, 0}), 0.0);
  EXPECT_EQ(mean_silhouette(distances_of(fixtures::dense(4, 1, {2, 2, 2, 2})), Labels{0, 0, 1, 1}), 0.0);
}

}  // namespace
}  // namespace souk::silhouette_test
