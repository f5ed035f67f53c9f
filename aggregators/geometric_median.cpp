#include <algorithm>
#include <cmath>

#include "aggregators/affine.hpp"
#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Pillutla, Kakade, Harchaoui, "Robust Aggregation for Federated Learning", IEEE TSP 2022, Algorithm 2 (smoothed
/// Weiszfeld), from the weighted mean. v is kept as its coefficients: see squared_distances_to_mean.
class GeometricMedian final : public Aggregator {
 public:
  explicit GeometricMedian(const scenario::GeometricMedian& config)
      : iterations_(config.iterations()),
        nu_(config.nu()),
        tolerance_(config.tolerance()),
        by_samples_(config.weighting() == scenario::Mean::BY_SAMPLES) {}

  RuleOutput aggregate(const RuleInput& input) override {
    const SymmetricMatrix squares = squared_distances(input.comm, input.updates);
    const std::vector<double> importance =
        by_samples_ ? sample_shares(input.submissions) : uniform_weights(input.updates.rows());
    std::vector<double> c = importance;
    double objective = objective_at(squares, importance, c);
    std::size_t done = 0;
    while (done < iterations_) {
      const std::vector<double> distances = squared_distances_to_mean(squares, c);
      for (std::size_t i = 0; i < c.size(); ++i) c[i] = importance[i] / std::max(nu_, std::sqrt(distances[i]));
      c = shares_of(c);
      ++done;
      const double before = objective;
      objective = objective_at(squares, importance, c);
      if (before - objective <= tolerance_ * before) break;
    }
    RuleOutput output = weighted_sum(input, c);
    output.diagnostics = {{"iterations", static_cast<double>(done)}, {"objective", objective}};
    return output;
  }

 private:
  static double objective_at(const SymmetricMatrix& squares, std::span<const double> importance,
                             std::span<const double> c) {
    const std::vector<double> distances = squared_distances_to_mean(squares, c);
    double sum = 0.0;
    for (std::size_t i = 0; i < c.size(); ++i) sum += importance[i] * std::sqrt(distances[i]);
    return sum;
  }
  std::size_t iterations_;
  double nu_, tolerance_;
  bool by_samples_;
};

const Register<Aggregator, GeometricMedian, scenario::GeometricMedian> registered;

}  // namespace
}  // namespace souk
