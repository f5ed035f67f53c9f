#include "aggregators/cosine_distances.hpp"
#include "aggregators/rule_tools.hpp"
#include "aggregators/stats/hdbscan.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/stats/order_statistics.hpp"

namespace souk {
namespace {

/// Nguyen et al., "FLAME: Taming Backdoors in Federated Learning", USENIX Security 2022, Algorithm 1.
class Flame final : public Aggregator {
 public:
  explicit Flame(const scenario::Flame& config)
      : lambda_(config.lambda()), models_(config.compared() == scenario::Flame::MODELS) {}

  RulePreserves preserves() const override {
    return {.scale = !models_, .translation = false, .unanimity = lambda_ == 0.0, .noise = lambda_ > 0.0};
  }

  RuleFootprint footprint(const RuleScale& scale) const override {
    return {.working = scale.distances() + (models_ ? 1.0 : 3.0) * scale.pairs() + scale.vector()};
  }

  RuleOutput aggregate(const RuleInput& input) override {
    const std::vector<double> norms = norms_of(input);
    const double limit = median(norms);
    RuleOutput output = clipped_mean_of(input, majority_cluster(distances(input)), norms, limit);
    add_noise(output.step, input, lambda_ * limit);
    output.diagnostics["clipping_norm"] = limit;
    return output;
  }

 private:
  SymmetricMatrix distances(const RuleInput& input) const {
    return models_ && input.global != nullptr ? cosine_distances(input.comm, input.updates, *input.global)
                                              : cosine_distances(input.comm, input.updates);
  }
  double lambda_;
  bool models_;
};

const Register<Aggregator, Flame, scenario::Flame> register_flame;

}  // namespace
}  // namespace souk
