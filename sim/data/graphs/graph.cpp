#include "sim/data/graphs/graph.hpp"

#include <cmath>

#include "sim/data/dataset.hpp"

namespace souk {

Scaling fit_standard_scaling(const Graph& graph) {
  const SparseRows& features = graph.features;
  std::vector<double> sums(features.width), squares(features.width);
  for (const NodeIndex node : graph.train_nodes) {
    for (std::uint64_t e = features.offsets[node]; e < features.offsets[node + 1]; ++e) {
      const double value = features.values.empty() ? 1.0 : static_cast<double>(features.values[e]);
      sums[features.columns[e]] += value;
      squares[features.columns[e]] += value * value;
    }
  }
  Scaling scaling{.shift = std::vector<float>(features.width), .scale = std::vector<float>(features.width, 1.0F)};
  const auto nodes = static_cast<double>(graph.train_nodes.size());
  for (std::size_t f = 0; f < features.width; ++f) {
    const double mean = sums[f] / nodes, variance = squares[f] / nodes - mean * mean;
    scaling.shift[f] = static_cast<float>(mean);
    // What is left of a constant by rounding is no variance.
    if (variance > 1e-12 * squares[f] / nodes) scaling.scale[f] = static_cast<float>(1.0 / std::sqrt(variance));
  }
  return scaling;
}

}  // namespace souk
