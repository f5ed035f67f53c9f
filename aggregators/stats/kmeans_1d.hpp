#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace souk {

/// Values grouped by the best of all partitions into at most k clusters.
struct KMeans1d {
  std::vector<std::size_t> labels;  ///< [n], clusters in ascending order of their centroids: 0 is the lowest
  std::vector<double> centroids;    ///< ascending; fewer than k where there are fewer distinct values
  double dispersion = 0.0;          ///< sum of squared distances to the centroids
};

/// Exact k-means in one dimension by dynamic programming (Wang and Song, "Ckmeans.1d.dp", The R Journal 2011). Equal
/// values share a cluster; of equally good partitions it takes the one whose higher clusters are larger. At least one
/// value, k >= 1. About k n^2 / 2 operations.
KMeans1d kmeans_1d(std::span<const double> values, std::size_t k);

/// The dispersions of the best partitions into 1 … k_max clusters, [k_max], for the price of one; exactly 0 from the
/// number of distinct values on.
std::vector<double> kmeans_1d_dispersions(std::span<const double> values, std::size_t k_max);

}  // namespace souk
