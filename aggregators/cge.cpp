#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Gupta, Liu, Vaidya, "Byzantine Fault-Tolerance in Distributed Machine Learning Using Norm-Based Comparative Gradient
/// Elimination", DSN-W 2021, with the mean of the n - f shortest in place of their sum.
class ComparativeGradientElimination final : public Aggregator {
 public:
  explicit ComparativeGradientElimination(const scenario::Cge& config) : f_("cge", config.f(), 2, 1) {}

  RuleNeeds needs() const override { return {.tolerated_f = f_.from_scenario()}; }
  RulePreserves preserves() const override { return {.translation = false}; }
  void check(const RoundSize& round) const override { f_.check(round); }

  RuleOutput aggregate(const RuleInput& input) override {
    const std::vector<double> squares = squared_norms(input.comm, input.updates);
    return mean_of(input, smallest(squares, squares.size() - f_.of(input)));
  }

 private:
  ToleratedF f_;
};

const Register<Aggregator, ComparativeGradientElimination, scenario::Cge> register_comparative_gradient_elimination;

}  // namespace
}  // namespace souk
