#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/columnwise.hpp"

namespace souk {
namespace {

/// Xie, Koyejo, Gupta, "Generalized Byzantine-tolerant SGD", 2018, Definition 4 (mean around the median).
class Meamed final : public Aggregator {
 public:
  explicit Meamed(const scenario::Meamed& config) : f_("meamed", config.f(), 2, 1) {}

  RuleNeeds needs() const override { return {.tolerated_f = f_.from_scenario()}; }
  void check(const RoundSize& round) const override { f_.check(round); }

  RuleFootprint footprint(const RuleScale& scale) const override { return {.working = 2.0 * scale.vector()}; }

  RuleOutput aggregate(const RuleInput& input) override {
    const std::size_t n = input.updates.rows();
    return coordinate_wise(mean_near(input.updates, median_of_columns(input.updates), n - f_.of(input)), n);
  }

 private:
  ToleratedF f_;
};

const Register<Aggregator, Meamed, scenario::Meamed> register_meamed;

}  // namespace
}  // namespace souk
