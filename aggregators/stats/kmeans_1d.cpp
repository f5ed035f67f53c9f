#include "aggregators/stats/kmeans_1d.hpp"

#include <algorithm>
#include <limits>

#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"

namespace souk {
namespace {

struct Distinct {
  std::vector<double> values;  ///< ascending
  std::vector<double> counts;
};

/// Mean and sum of squared distances to it, exact for equal values (Welford's recurrence).
struct SpreadOfPrefix {
  double count = 0.0;
  double mean = 0.0;
  double dispersion = 0.0;

  void add(double value, double times) {
    count += times;
    const double distance = value - mean;
    mean += distance * (times / count);
    dispersion += times * distance * (value - mean);
  }
};

struct Partitions {
  std::vector<std::vector<double>> best;        ///< [k][j]: dispersion of the first j + 1 values in k + 1 clusters
  std::vector<std::vector<std::size_t>> first;  ///< [k][j]: where the last of these clusters begins
};

Distinct distinct(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  Distinct result;
  for (const double value : sorted) {
    if (result.values.empty() || value != result.values.back()) {
      result.values.push_back(value);
      result.counts.push_back(0.0);
    }
    result.counts.back() += 1.0;
  }
  return result;
}

Partitions partitions(const Distinct& points, std::size_t k_max) {
  const std::size_t n = points.values.size();
  Partitions result;
  result.best.assign(k_max, std::vector<double>(n, std::numeric_limits<double>::infinity()));
  result.first.assign(k_max, std::vector<std::size_t>(n, 0));
  for (std::size_t last = 0; last < n; ++last) {
    heartbeat::beat();
    SpreadOfPrefix cluster;
    for (std::size_t first = last + 1; first-- > 0;) {
      cluster.add(points.values[first], points.counts[first]);
      if (first == 0) result.best[0][last] = cluster.dispersion;
      for (std::size_t k = 1; k < k_max && k <= first; ++k) {
        const double total = result.best[k - 1][first - 1] + cluster.dispersion;
        if (total > result.best[k][last]) continue;
        result.best[k][last] = total;
        result.first[k][last] = first;
      }
    }
  }
  return result;
}

}  // namespace

KMeans1d kmeans_1d(std::span<const double> values, std::size_t k) {
  SOUK_EXPECT(!values.empty() && k >= 1);
  const Distinct points = distinct(values);
  k = std::min(k, points.values.size());
  const Partitions all = partitions(points, k);

  KMeans1d result{std::vector<std::size_t>(values.size()), std::vector<double>(k), all.best[k - 1].back()};
  std::vector<double> lowest(k);  // value of each cluster
  std::size_t last = points.values.size() - 1;
  for (std::size_t cluster = k; cluster-- > 0;) {
    const std::size_t first = all.first[cluster][last];
    SpreadOfPrefix spread;
    for (std::size_t i = first; i <= last; ++i) spread.add(points.values[i], points.counts[i]);
    result.centroids[cluster] = spread.mean;
    lowest[cluster] = points.values[first];
    last = first - 1;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto above = std::upper_bound(lowest.begin(), lowest.end(), values[i]);
    result.labels[i] = static_cast<std::size_t>(above - lowest.begin()) - 1;
  }
  return result;
}

std::vector<double> kmeans_1d_dispersions(std::span<const double> values, std::size_t k_max) {
  SOUK_EXPECT(!values.empty() && k_max >= 1);
  const Distinct points = distinct(values);
  const Partitions all = partitions(points, std::min(k_max, points.values.size()));
  std::vector<double> dispersions(k_max, 0.0);
  for (std::size_t k = 0; k < all.best.size(); ++k) dispersions[k] = all.best[k].back();
  return dispersions;
}

}  // namespace souk
