#include <algorithm>

#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Farhadkhani et al., "Robust Collaborative Learning with Linear Gradient Overhead", ICML 2023, Algorithm 1: nearest
/// neighbour averaging about a trusted update.
class Monna final : public Aggregator {
 public:
  explicit Monna(const scenario::Monna& config) : f_("monna", config.f(), 2, 1), pivot_(config.pivot()) {}

  RuleNeeds needs() const override { return {.tolerated_f = f_.from_scenario()}; }
  RulePreserves preserves() const override { return {.permutation = false}; }
  void check(const RoundSize& round) const override { f_.check(round); }

  RuleFootprint footprint(const RuleScale& scale) const override { return {.working = 2.0 * scale.vector()}; }

  RuleOutput aggregate(const RuleInput& input) override {
    const std::size_t n = input.updates.rows();
    const std::size_t pivot = std::min<std::size_t>(pivot_, n - 1);
    ColumnVector trusted(input.updates);
    std::copy_n(input.updates.row(pivot).begin(), trusted.values().size(), trusted.values().begin());
    const std::vector<double> distances = squared_distances_to(input.comm, input.updates, trusted);
    return mean_of(input, smallest(distances, n - f_.of(input)));
  }

 private:
  ToleratedF f_;
  std::size_t pivot_;
};

const Register<Aggregator, Monna, scenario::Monna> register_monna;

}  // namespace
}  // namespace souk
