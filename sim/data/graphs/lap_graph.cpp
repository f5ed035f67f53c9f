#include <algorithm>
#include <cmath>

#include "scenarios/graphs.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/data/graphs/edge_noise.hpp"
#include "sim/data/graphs/edge_privacy.hpp"

namespace souk {
namespace {

/// Laplace noise on every pair (Wu et al., 2022). A hundredth of epsilon goes into the number of edges, the rest into
/// which they are.
class LapGraph final : public EdgePrivacy {
 public:
  explicit LapGraph(const scenario::LapGraph& config) : epsilon_(config.epsilon()) {}

  std::vector<Edge> perturb(std::size_t nodes, std::span<const Edge> edges, Stream& random) const override {
    const double before = static_cast<double>(edges.size()), pairs = pairs_of(nodes);
    // There are no fewer edges than none, and no more than pairs.
    const double wanted = std::clamp(std::round(before + laplace(random) / (0.01 * epsilon_)), 0.0, pairs);
    const double share = first_share(pairs - before, wanted);
    check_noise("task.data: graph.lap_graph.epsilon", epsilon_, nodes, before + share * (pairs - before),
                bytes_per_cell);
    if (wanted == 0.0) return {};
    return largest_cells(nodes, edges, static_cast<std::uint64_t>(wanted), 0.99 * epsilon_, share, random);
  }

 private:
  // A pair and its value, and once more where cells are added; edges take no more.
  static constexpr double bytes_per_cell = 2.0 * (sizeof(Edge) + sizeof(double));

  double epsilon_;
};

const Register<EdgePrivacy, LapGraph, scenario::LapGraph> register_lap_graph;

}  // namespace
}  // namespace souk
