#include "aggregators/stats/silhouette.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "aggregators/stats/labels.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"

namespace souk {
namespace {

double silhouette(const SymmetricMatrix& distances, std::span<const std::size_t> labels,
                  std::span<const std::size_t> sizes, std::size_t i) {
  if (sizes[labels[i]] == 1) return 0.0;
  std::vector<double> sums(sizes.size());
  for (std::size_t j = 0; j < labels.size(); ++j) sums[labels[j]] += distances(i, j);
  const double own = sums[labels[i]] / static_cast<double>(sizes[labels[i]] - 1);
  double other = std::numeric_limits<double>::infinity();
  for (std::size_t c = 0; c < sizes.size(); ++c) {
    if (c != labels[i]) other = std::min(other, sums[c] / static_cast<double>(sizes[c]));
  }
  const double larger = std::max(own, other);
  return larger == 0.0 ? 0.0 : (other - own) / larger;
}

}  // namespace

double mean_silhouette(const SymmetricMatrix& distances, std::span<const std::size_t> labels) {
  SOUK_EXPECT(labels.size() == distances.order && !labels.empty());
  const std::vector<std::size_t> sizes = cluster_sizes(labels);
  if (sizes.size() < 2) return 0.0;
  double sum = 0.0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    heartbeat::beat();
    sum += silhouette(distances, labels, sizes, i);
  }
  return sum / static_cast<double>(labels.size());
}

}  // namespace souk
