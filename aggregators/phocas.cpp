#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/columnwise.hpp"

namespace souk {
namespace {

/// Xie, Koyejo, Gupta, "Phocas: dimensional Byzantine-resilient stochastic gradient descent", 2018, Definition 8.
class Phocas final : public Aggregator {
 public:
  explicit Phocas(const scenario::Phocas& config) : f_("phocas", config.f(), 2, 1) {}

  RuleNeeds needs() const override { return {.tolerated_f = f_.from_scenario()}; }
  void check(const RoundSize& round) const override { f_.check(round); }

  RuleFootprint footprint(const RuleScale& scale) const override { return {.working = 2.0 * scale.vector()}; }

  RuleOutput aggregate(const RuleInput& input) override {
    const std::size_t n = input.updates.rows();
    const std::size_t f = f_.of(input);
    return coordinate_wise(mean_near(input.updates, trimmed_mean_of_columns(input.updates, f), n - f), n);
  }

 private:
  ToleratedF f_;
};

const Register<Aggregator, Phocas, scenario::Phocas> register_phocas;

}  // namespace
}  // namespace souk
