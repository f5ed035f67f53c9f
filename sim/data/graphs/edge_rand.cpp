#include <cmath>

#include "scenarios/graphs.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/data/graphs/edge_noise.hpp"
#include "sim/data/graphs/edge_privacy.hpp"

namespace souk {
namespace {

/// Randomised response (Wu et al., 2022): with probability s = 2 / (exp(epsilon) + 1) a pair is replaced by the toss of
/// a coin, which is to say that every pair is flipped with probability s / 2. Only the flips are drawn.
class EdgeRand final : public EdgePrivacy {
 public:
  explicit EdgeRand(const scenario::EdgeRand& config)
      : epsilon_(config.epsilon()), flipped_(1.0 / (std::exp(config.epsilon()) + 1.0)) {}

  std::vector<Edge> perturb(std::size_t nodes, std::span<const Edge> edges, Stream& random) const override {
    const auto before = static_cast<double>(edges.size());
    const double expected = before + (pairs_of(nodes) - 2.0 * before) * flipped_;
    check_noise("task.data: graph.edge_rand.epsilon", epsilon_, nodes, expected, bytes_per_edge);
    std::vector<Edge> noisy;
    noisy.reserve(static_cast<std::size_t>(expected + 5.0 * std::sqrt(expected)));
    PairDraw flips(nodes, flipped_, random);
    auto next = edges.begin();
    while (const std::optional<Edge> flip = flips.next()) {
      while (next != edges.end() && *next < *flip) noisy.push_back(*next++);
      if (next != edges.end() && *next == *flip) {
        ++next;
      } else {
        noisy.push_back(*flip);
      }
    }
    noisy.insert(noisy.end(), next, edges.end());
    return noisy;
  }

 private:
  // As a pair here and among those of all graphs, then in both directions, here and in memory that ranks share.
  static constexpr double bytes_per_edge = 4.0 * sizeof(Edge);

  double epsilon_;
  double flipped_;  ///< probability
};

const Register<EdgePrivacy, EdgeRand, scenario::EdgeRand> register_edge_rand;

}  // namespace
}  // namespace souk
