#include <algorithm>

#include "aggregators/cosine_distances.hpp"
#include "aggregators/rule_tools.hpp"
#include "aggregators/stats/agglomerative.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/stats/order_statistics.hpp"

namespace souk {
namespace {

/// Li, Ngai, Voigt, "An Experimental Study of Byzantine-Robust Aggregation Schemes in Federated Learning", IEEE
/// Transactions on Big Data 2023, section 4. Of two clusters of the same size the one with the smallest client id
/// stays.
class ClippedClustering final : public Aggregator {
 public:
  explicit ClippedClustering(const scenario::ClippedClustering& config) : max_tau_(config.max_tau()) {}

  RuleNeeds needs() const override { return {.memory = true}; }
  /// Earlier norms limit those of this round.
  RulePreserves preserves() const override { return {.scale = false, .translation = false, .unanimity = false}; }

  RuleFootprint footprint(const RuleScale& scale) const override {
    return {.working = scale.distances() + 3.0 * scale.pairs() + scale.vector()};
  }

  RuleOutput aggregate(const RuleInput& input) override {
    const std::vector<double> norms = norms_of(input);
    all_norms_.insert(all_norms_.end(), norms.begin(), norms.end());
    const double tau = std::min(median(all_norms_), max_tau_);
    RuleOutput output = clipped_mean_of(input, larger_cluster(input), norms, tau);
    output.diagnostics["clipping_norm"] = tau;
    return output;
  }

  void serialize(Archive& archive, const Comm&) override { archive.field("norms", all_norms_); }

 private:
  /// Clipping changes no cosine.
  static std::vector<std::size_t> larger_cluster(const RuleInput& input) {
    const std::size_t n = input.updates.rows();
    if (n == 1) return {0};
    const auto labels = agglomerative(cosine_distances(input.comm, input.updates), 2, Linkage::average);
    std::vector<std::size_t> first, second;
    for (std::size_t i = 0; i < n; ++i) (labels[i] == 0 ? first : second).push_back(i);
    return second.size() > first.size() ? second : first;
  }

  double max_tau_;
  std::vector<double> all_norms_;  ///< of all updates of all rounds
};

const Register<Aggregator, ClippedClustering, scenario::ClippedClustering> register_clipped_clustering;

}  // namespace
}  // namespace souk
