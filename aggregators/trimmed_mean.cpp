#include <cmath>

#include <fmt/format.h>

#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/columnwise.hpp"

namespace souk {
namespace {

/// Yin, Chen, Ramchandran, Bartlett, "Byzantine-Robust Distributed Learning: Towards Optimal Statistical Rates",
/// ICML 2018, Definition 2. No communication: every rank sorts the columns it owns.
class TrimmedMean final : public Aggregator {
 public:
  explicit TrimmedMean(const scenario::TrimmedMean& config)
      : f_("trimmed_mean", config.f(), 2, 1), ratio_(config.ratio()) {}

  RuleNeeds needs() const override { return {.tolerated_f = ratio_ == 0.0 && f_.from_scenario()}; }

  void check(const RoundSize& round) const override {
    if (ratio_ == 0.0) return f_.check(round);
    SOUK_REQUIRE(by_ratio(round.updates) > 0, "aggregator.trimmed_mean.ratio = {}: trims none of the {} updates",
                 ratio_, round.updates);
  }

  RuleOutput aggregate(const RuleInput& input) override {
    const std::size_t n = input.updates.rows();
    const std::size_t trim = ratio_ == 0.0 ? f_.of(input) : by_ratio(n);
    if (trim == 0 && ratio_ > 0.0) remark(input, fmt::format("trimmed_mean: trims none of {} updates", n));
    RuleOutput output = coordinate_wise(trimmed_mean_of_columns(input.updates, trim), n);
    output.diagnostics["trimmed_per_end"] = static_cast<double>(trim);
    return output;
  }

 private:
  /// The margin makes 0.29 of 100 updates 29 although the product of the doubles is less.
  std::size_t by_ratio(std::size_t n) const {
    return static_cast<std::size_t>(std::floor(ratio_ * static_cast<double>(n) + 1e-9));
  }
  ToleratedF f_;
  double ratio_;
};

const Register<Aggregator, TrimmedMean, scenario::TrimmedMean> register_trimmed_mean;

}  // namespace
}  // namespace souk
