#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/columnwise.hpp"

namespace souk {
namespace {

/// Xie, Koyejo, Gupta, "SLSGD: Secure and Efficient Distributed On-device Machine Learning", ECML PKDD 2019,
/// Algorithm 1, option II.
class Slsgd final : public Aggregator {
 public:
  explicit Slsgd(const scenario::Slsgd& config)
      : f_("slsgd", config.f(), 2, 1), alpha_(static_cast<float>(config.alpha())) {}

  RuleNeeds needs() const override { return {.tolerated_f = f_.from_scenario()}; }
  RulePreserves preserves() const override {
    return {.scale = true, .translation = alpha_ == 1.0F, .unanimity = alpha_ == 1.0F};
  }
  void check(const RoundSize& round) const override { f_.check(round); }

  RuleOutput aggregate(const RuleInput& input) override {
    ColumnVector step = trimmed_mean_of_columns(input.updates, f_.of(input));
    for (float& value : step.values()) value *= alpha_;
    return coordinate_wise(std::move(step), input.updates.rows());
  }

 private:
  ToleratedF f_;
  float alpha_;
};

const Register<Aggregator, Slsgd, scenario::Slsgd> register_slsgd;

}  // namespace
}  // namespace souk
