#include <cmath>

#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Karimireddy, He, Jaggi, "Learning from History for Byzantine Robust Optimization", ICML 2021, Algorithm 2: started
/// from last round's aggregate, 0 at first. Two passes over memory per iteration.
class CenteredClipping final : public Aggregator {
 public:
  explicit CenteredClipping(const scenario::CenteredClipping& config)
      : tau_(config.tau()), iterations_(config.iterations()) {}

  RuleNeeds needs() const override { return {.memory = true}; }
  RulePreserves preserves() const override { return {.scale = false, .translation = false, .unanimity = false}; }

  RuleOutput aggregate(const RuleInput& input) override {
    const std::size_t n = input.updates.rows();
    if (dimension_ == 0) {
      dimension_ = static_cast<std::int64_t>(input.updates.dimension());
      center_ = ColumnVector(input.updates);
    }
    std::vector<double> factors(n), c(n + 1);
    for (std::size_t l = 0; l < iterations_; ++l) {
      const std::vector<double> squares = squared_distances_to(input.comm, input.updates, center_);
      c[n] = 1.0;
      for (std::size_t i = 0; i < n; ++i) {
        factors[i] = clip_factor(std::sqrt(squares[i]), tau_);
        c[i] = factors[i] / static_cast<double>(n);
        c[n] -= c[i];
      }
      center_ = combine(input.updates.with_row(input.comm, center_), c);
    }
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

const Register<Aggregator, CenteredClipping, scenario::CenteredClipping> registered;

}  // namespace
}  // namespace souk
