#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "sim/params/dense_matrix.hpp"
#include "sim/params/linear.hpp"

namespace souk {

class Stream;

struct KMeans {
  std::vector<std::size_t> labels;  ///< [n], clusters numbered by their first members
  double inertia = 0.0;             ///< sum of squared distances to the centroids
};

/// Lloyd's algorithm on points known only by their squared Euclidean distances, [n, n]: a point's squared distance to
/// the centroid of C is mean_(j in C) d_ij - mean_(j, l in C) d_jl / 2. Seeded by k-means++ (Arthur and Vassilvitskii,
/// SODA 2007); the best of `restarts`, equally good ones to the earlier. Ties to the cluster seeded first; an emptied
/// cluster takes the point farthest from its centroid. Fewer than k clusters where fewer points differ. n, k, restarts
/// >= 1. n^2 operations per step.
KMeans kmeans(const SymmetricMatrix& squared_distances, std::size_t k, Stream& random, std::size_t restarts = 10);

/// Means of the points of each cluster, [clusters, m].
DenseMatrix cluster_means(const DenseMatrix& points, std::span<const std::size_t> labels);

}  // namespace souk
