#include <cmath>

#include <fmt/format.h>

#include "aggregators/rule_tools.hpp"
#include "aggregators/signs.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/columnwise.hpp"

namespace souk {
namespace {

/// Ozdayi, Kantarcioglu, Gel, "Defending against Backdoors in Federated Learning with Robust Learning Rate", AAAI 2021,
/// equations 2 and 3.
class RobustLearningRate final : public Aggregator {
 public:
  explicit RobustLearningRate(const scenario::Rlr& config)
      : threshold_(static_cast<float>(config.threshold())), base_(config.base()) {}

  RulePreserves preserves() const override {
    return {.scale = base_ != scenario::Rlr::SIGN, .translation = false, .unanimity = false};
  }

  void check(const RoundSize& round) const override {
    SOUK_REQUIRE(threshold_ <= static_cast<float>(round.updates),
                 "aggregator.rlr.threshold = {}: more than the {} updates of a round can never agree", threshold_,
                 round.updates);
  }

  RuleFootprint footprint(const RuleScale& scale) const override { return {.working = 2.0 * scale.vector()}; }

  RuleOutput aggregate(const RuleInput& input) override {
    const std::size_t n = input.updates.rows();
    if (static_cast<float>(n) < threshold_) return nothing(input);
    const ColumnVector agreement = sum_of_signs(input.updates);
    ColumnVector step = base_of(input, agreement);
    for (std::size_t c = 0; c < step.values().size(); ++c) {
      if (std::abs(agreement.values()[c]) < threshold_) step.values()[c] = -step.values()[c];
    }
    return coordinate_wise(std::move(step), n);
  }

 private:
  /// The formula would turn every coordinate round, since so few can never agree as far as asked for.
  RuleOutput nothing(const RuleInput& input) const {
    const std::size_t n = input.updates.rows();
    remark(input, fmt::format("rlr: {} updates cannot reach the threshold of {}; the model stays as it is", n,
                              static_cast<int>(threshold_)));
    RuleOutput output = coordinate_wise(ColumnVector(input.updates), n);
    output.weights.assign(n, 0.0);
    return output;
  }

  ColumnVector base_of(const RuleInput& input, const ColumnVector& agreement) const {
    if (base_ == scenario::Rlr::MEAN) return combine(input.updates, uniform_weights(input.updates.rows()));
    if (base_ == scenario::Rlr::MEDIAN) return median_of_columns(input.updates);
    ColumnVector signs = agreement;
    for (float& value : signs.values()) value = sign_of(value);
    return signs;
  }
  float threshold_;
  scenario::Rlr::Base base_;
};

const Register<Aggregator, RobustLearningRate, scenario::Rlr> register_robust_learning_rate;

}  // namespace
}  // namespace souk
