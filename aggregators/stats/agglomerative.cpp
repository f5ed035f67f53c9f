#include "aggregators/stats/agglomerative.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "aggregators/stats/labels.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"

namespace souk {
namespace {

/// Clusters named by their first members; the others are gone.
struct Clusters {
  SymmetricMatrix distances;
  std::vector<std::size_t> names;  ///< ascending
  std::vector<double> sizes;       ///< by name
};

/// The smaller name first.
std::pair<std::size_t, std::size_t> nearest_pair(Clusters& clusters) {
  std::pair<std::size_t, std::size_t> best{clusters.names[0], clusters.names[1]};
  double shortest = clusters.distances(best.first, best.second);
  for (std::size_t a = 0; a < clusters.names.size(); ++a) {
    for (std::size_t b = a + 1; b < clusters.names.size(); ++b) {
      const double distance = clusters.distances(clusters.names[a], clusters.names[b]);
      if (distance >= shortest) continue;
      shortest = distance;
      best = {clusters.names[a], clusters.names[b]};
    }
  }
  return best;
}

void merge(Clusters& clusters, std::size_t into, std::size_t gone, Linkage linkage) {
  clusters.names.erase(std::find(clusters.names.begin(), clusters.names.end(), gone));
  const double a = clusters.sizes[into];
  const double b = clusters.sizes[gone];
  for (const std::size_t other : clusters.names) {
    if (other == into) continue;
    double& kept = clusters.distances(into, other);
    const double lost = clusters.distances(gone, other);
    switch (linkage) {
      case Linkage::average:
        kept = (a * kept + b * lost) / (a + b);
        break;
      case Linkage::complete:
        kept = std::max(kept, lost);
        break;
      case Linkage::single:
        kept = std::min(kept, lost);
        break;
    }
  }
  clusters.sizes[into] = a + b;
}

}  // namespace

std::vector<std::size_t> agglomerative(const SymmetricMatrix& distances, std::size_t k, Linkage linkage) {
  const std::size_t n = distances.order;
  SOUK_EXPECT(k >= 1 && k <= n);
  Clusters clusters{distances, std::vector<std::size_t>(n), std::vector<double>(n, 1.0)};
  std::iota(clusters.names.begin(), clusters.names.end(), std::size_t{0});
  std::vector<std::size_t> labels = clusters.names;
  while (clusters.names.size() > k) {
    heartbeat::beat();
    const auto [into, gone] = nearest_pair(clusters);
    merge(clusters, into, gone, linkage);
    std::replace(labels.begin(), labels.end(), gone, into);
  }
  return numbered_by_first_member(labels);
}

}  // namespace souk
