#include "aggregators/stats/kmeans.hpp"

#include <algorithm>
#include <limits>

#include "aggregators/stats/labels.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/random.hpp"

namespace souk {
namespace {

constexpr int lloyd_steps_max = 300;

/// An index drawn with probability proportional to its weight; weights.size() where all are 0.
std::size_t draw(std::span<const double> weights, Stream& random) {
  double total = 0.0;
  for (const double weight : weights) total += weight;
  const double target = random.uniform() * total;
  double sum = 0.0;
  std::size_t drawn = weights.size();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0.0) continue;
    drawn = i;  // the last one, should rounding keep the sum below the target
    sum += weights[i];
    if (sum > target) break;
  }
  return drawn;
}

/// k-means++: labels of the points by their nearest seed. Returns how many seeds there are.
std::size_t seed(const SymmetricMatrix& distances, std::size_t k, Stream& random, std::vector<std::size_t>& labels) {
  const std::size_t n = distances.order;
  std::vector<double> nearest(n, std::numeric_limits<double>::infinity());
  std::size_t next = random.below(static_cast<std::uint32_t>(n));
  std::size_t seeds = 0;
  for (; seeds < k && next < n; ++seeds) {
    heartbeat::beat();
    for (std::size_t i = 0; i < n; ++i) {
      if (distances(i, next) >= nearest[i]) continue;
      nearest[i] = distances(i, next);
      labels[i] = seeds;
    }
    next = draw(nearest, random);
  }
  return seeds;
}

/// Squared distances of all points to the centroids of the clusters, [n, clusters]; infinite for an empty one.
DenseMatrix distances_to_centroids(const SymmetricMatrix& distances, std::span<const std::size_t> labels,
                                   std::size_t clusters) {
  DenseMatrix sums(distances.order, clusters);
  const double* entry = distances.lower.data();
  for (std::size_t i = 0; i < distances.order; ++i) {
    for (std::size_t j = 0; j <= i; ++j, ++entry) {
      sums(i, labels[j]) += *entry;
      if (j < i) sums(j, labels[i]) += *entry;
    }
  }
  std::vector<double> counts(clusters);
  std::vector<double> within(clusters);  // sum over both members of a pair
  for (std::size_t i = 0; i < distances.order; ++i) {
    counts[labels[i]] += 1.0;
    within[labels[i]] += sums(i, labels[i]);
  }
  for (std::size_t i = 0; i < distances.order; ++i) {
    for (std::size_t c = 0; c < clusters; ++c) {
      sums(i, c) = counts[c] == 0.0 ? std::numeric_limits<double>::infinity()
                                    : std::max(0.0, sums(i, c) / counts[c] - 0.5 * within[c] / (counts[c] * counts[c]));
    }
  }
  return sums;
}

/// Gives each empty cluster the point farthest from its centroid that is not alone in its own.
void fill_empty(const DenseMatrix& to_centroids, std::vector<std::size_t>& labels) {
  std::vector<std::size_t> sizes(to_centroids.columns);
  for (const std::size_t label : labels) ++sizes[label];
  std::vector<double> distance(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) distance[i] = to_centroids(i, labels[i]);
  for (std::size_t c = 0; c < sizes.size(); ++c) {
    if (sizes[c] > 0) continue;
    std::size_t farthest = labels.size();
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (sizes[labels[i]] > 1 && (farthest == labels.size() || distance[i] > distance[farthest])) farthest = i;
    }
    --sizes[labels[farthest]];
    ++sizes[c];
    labels[farthest] = c;
    distance[farthest] = 0.0;
  }
}

double inertia(const DenseMatrix& to_centroids, std::span<const std::size_t> labels) {
  double sum = 0.0;
  for (std::size_t i = 0; i < labels.size(); ++i) sum += to_centroids(i, labels[i]);
  return sum;
}

KMeans lloyd(const SymmetricMatrix& distances, std::size_t k, Stream& random) {
  std::vector<std::size_t> labels(distances.order);
  const std::size_t clusters = seed(distances, k, random, labels);
  DenseMatrix to_centroids = distances_to_centroids(distances, labels, clusters);
  for (int step = 0; step < lloyd_steps_max; ++step) {
    heartbeat::beat();
    std::vector<std::size_t> closer = labels;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const auto row = to_centroids.row(i);
      closer[i] = static_cast<std::size_t>(std::min_element(row.begin(), row.end()) - row.begin());
    }
    fill_empty(to_centroids, closer);
    if (closer == labels) break;
    labels = closer;
    to_centroids = distances_to_centroids(distances, labels, clusters);
  }
  return {labels, inertia(to_centroids, labels)};
}

}  // namespace

KMeans kmeans(const SymmetricMatrix& squared_distances, std::size_t k, Stream& random, std::size_t restarts) {
  SOUK_EXPECT(squared_distances.order >= 1 && k >= 1 && restarts >= 1);
  KMeans best = lloyd(squared_distances, k, random);
  for (std::size_t restart = 1; restart < restarts; ++restart) {
    KMeans other = lloyd(squared_distances, k, random);
    if (other.inertia < best.inertia) best = std::move(other);
  }
  best.labels = numbered_by_first_member(best.labels);
  return best;
}

DenseMatrix cluster_means(const DenseMatrix& points, std::span<const std::size_t> labels) {
  const std::vector<std::size_t> sizes = cluster_sizes(labels);
  DenseMatrix means(sizes.size(), points.columns);
  for (std::size_t i = 0; i < points.rows; ++i) {
    for (std::size_t c = 0; c < points.columns; ++c) means(labels[i], c) += points(i, c);
  }
  for (std::size_t cluster = 0; cluster < sizes.size(); ++cluster) {
    for (double& value : means.row(cluster)) value /= static_cast<double>(sizes[cluster]);
  }
  return means;
}

}  // namespace souk
