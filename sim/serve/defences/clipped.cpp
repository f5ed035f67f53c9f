#include <algorithm>

#include <fmt/format.h>

#include "scenarios/service.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/serve/answers.hpp"

namespace souk {
namespace {

class ClippedValues final : public AnswerDefence {
 public:
  explicit ClippedValues(const scenario::ClippedValues& config) : low_(config.low()), high_(config.high()) {}

  ValueRange range(const ValueRange& before) const override {
    return {std::clamp(before.low, low_, high_), std::clamp(before.high, low_, high_)};
  }
  std::string without_effect(const ValueRange& before) const override {
    if (before.low < low_ || before.high > high_) return {};
    return fmt::format("clipped: values lie between {} and {}, and none below low = {} or above high = {}", before.low,
                       before.high, low_, high_);
  }

  void apply(std::span<double> values, Stream&) const override {
    for (double& value : values) value = std::clamp(value, low_, high_);
  }

 private:
  double low_, high_;
};

const Register<AnswerDefence, ClippedValues, scenario::ClippedValues> register_clipped_values;

}  // namespace
}  // namespace souk
