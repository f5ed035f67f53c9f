#include <algorithm>
#include <cmath>
#include <utility>

#include "aggregators/affine.hpp"
#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/heartbeat.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// The rows no farther from the most central one than 10,000 times its typical distance to the others. What lies beyond
/// pulls by its direction alone, and would hide from the objective what happens among the rest.
std::vector<bool> near_rows(const SymmetricMatrix& squares) {
  const Center center = most_central(squares);
  std::vector<bool> near(squares.order);
  for (std::size_t i = 0; i < squares.order; ++i) near[i] = squares(center.point, i) <= 1e8 * center.typical;
  return near;
}

/// Pillutla, Kakade, Harchaoui, "Robust Aggregation for Federated Learning", IEEE TSP 2022, Algorithm 2 (smoothed
/// Weiszfeld), from the weighted mean; updates that are very far off are left out of that start, from where every
/// iteration gains only a constant factor on them. v is kept as its coefficients: see squared_distances_to_mean.
class GeometricMedian final : public Aggregator {
 public:
  explicit GeometricMedian(const scenario::GeometricMedian& config)
      : iterations_(config.iterations()),
        nu_(config.nu()),
        tolerance_(config.tolerance()),
        by_samples_(config.weighting() == scenario::Mean::BY_SAMPLES) {}

  RuleFootprint footprint(const RuleScale& scale) const override {
    return {.working = scale.distances() + 2.0 * scale.vector()};
  }

  RuleOutput aggregate(const RuleInput& input) override {
    const SymmetricMatrix squares = squared_distances(input.comm, input.updates);
    const std::vector<bool> near = near_rows(squares);
    const bool suffices = coefficients_suffice(squares);
    const auto distances_to = [&](std::span<const double> c) {
      std::vector<double> distances = suffices
                                          ? squared_distances_to_mean(squares, c)
                                          : squared_distances_to(input.comm, input.updates, combine(input.updates, c));
      for (double& distance : distances) distance = std::sqrt(distance);
      return distances;
    };
    const std::vector<double> importance =
        by_samples_ ? sample_shares(input.submissions) : uniform_weights(input.updates.rows());
    std::vector<double> c = start(importance, near);
    std::vector<double> distances = distances_to(c);
    double objective = objective_at(distances, importance, near);
    std::size_t done = 0;
    while (done < iterations_) {
      heartbeat::beat();
      for (std::size_t i = 0; i < c.size(); ++i) c[i] = importance[i] / std::max(nu_, distances[i]);
      c = shares_of(c);
      distances = distances_to(c);
      ++done;
      const double before = std::exchange(objective, objective_at(distances, importance, near));
      if (std::abs(before - objective) <= tolerance_ * before) break;
    }
    RuleOutput output = weighted_sum(input, c);
    output.diagnostics = {
        {"iterations", static_cast<double>(done)},
        {"objective", objective_at(distances, importance, std::vector<bool>(distances.size(), true))}};
    return output;
  }

 private:
  static std::vector<double> start(const std::vector<double>& importance, const std::vector<bool>& near) {
    std::vector<double> c = importance;
    for (std::size_t i = 0; i < c.size(); ++i) c[i] = near[i] ? c[i] : 0.0;
    const bool nobody = std::all_of(c.begin(), c.end(), [](double value) { return value == 0.0; });
    return nobody ? importance : shares_of(c);
  }
  static double objective_at(std::span<const double> distances, std::span<const double> importance,
                             const std::vector<bool>& counted) {
    double sum = 0.0;
    for (std::size_t i = 0; i < distances.size(); ++i) sum += counted[i] ? importance[i] * distances[i] : 0.0;
    return sum;
  }
  std::size_t iterations_;
  double nu_, tolerance_;
  bool by_samples_;
};

const Register<Aggregator, GeometricMedian, scenario::GeometricMedian> register_geometric_median;

}  // namespace
}  // namespace souk
