#include <cmath>

#include "aggregators/affine.hpp"
#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Karimireddy, He, Jaggi, "Learning from History for Byzantine Robust Optimization", ICML 2021, Algorithm 2: started
/// from last round's aggregate, 0 at first. v is kept as coefficients of the updates and of its start, the last of n +
/// 1 points: see squared_distances_to_mean.
class CenteredClipping final : public Aggregator {
 public:
  explicit CenteredClipping(const scenario::CenteredClipping& config)
      : tau_(config.tau()), iterations_(config.iterations()) {}

  RuleNeeds needs() const override { return {.memory = true}; }
  RulePreserves preserves() const override { return {.scale = false, .translation = false, .unanimity = false}; }

  RuleFootprint footprint(const RuleScale& scale) const override {
    return {.held = scale.vector(), .working = scale.distances() + 2.0 * scale.vector()};
  }

  RuleOutput aggregate(const RuleInput& input) override {
    const std::size_t n = input.updates.rows();
    if (dimension_ == 0) {
      dimension_ = static_cast<std::int64_t>(input.updates.dimension());
      center_ = ColumnVector(input.updates);
    }
    const ColumnMatrix points = input.updates.with_row(input.comm, center_);
    SymmetricMatrix all;  // distances among the points, for iterations that need no pass over memory
    bool suffices = false;
    if (iterations_ > 1) {
      all = squared_distances(input.comm, points);
      suffices = coefficients_suffice(all);
    }
    std::vector<double> factors(n), c(n + 1, 0.0);
    c[n] = 1.0;
    for (std::size_t l = 0; l < iterations_; ++l) {
      const std::vector<double> squares =
          l > 0 && suffices ? squared_distances_to_mean(all, c)
                            : squared_distances_to(input.comm, input.updates, l > 0 ? combine(points, c) : center_);
      double moved = 0.0;
      for (std::size_t i = 0; i < n; ++i) {
        factors[i] = clip_factor(std::sqrt(squares[i]), tau_) / static_cast<double>(n);
        moved += factors[i];
      }
      for (double& value : c) value *= 1.0 - moved;
      for (std::size_t i = 0; i < n; ++i) c[i] += factors[i];
    }
    center_ = combine(points, c);
    return {.step = center_, .weights = shares_of(factors), .scores = {}, .diagnostics = {}};
  }

  void serialize(Archive& archive, const Comm& comm) override {
    archive.field("dimension", dimension_);
    serialize_columns(archive, "center", comm, static_cast<std::size_t>(dimension_), center_);
  }

 private:
  double tau_;
  std::size_t iterations_;
  std::int64_t dimension_ = 0;  ///< 0: there is no center yet
  ColumnVector center_;
};

const Register<Aggregator, CenteredClipping, scenario::CenteredClipping> register_centered_clipping;

}  // namespace
}  // namespace souk
