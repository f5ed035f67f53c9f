#include <cmath>

#include "scenarios/service.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/serve/answers.hpp"

namespace souk {
namespace {

class RoundedValues final : public AnswerDefence {
 public:
  explicit RoundedValues(const scenario::RoundedValues& config) : scale_(std::pow(10.0, config.decimals())) {}

  void apply(std::span<double> values, Stream&) const override {
    for (double& value : values) value = std::round(value * scale_) / scale_;
  }

 private:
  double scale_;  ///< ten to the number of decimals
};

const Register<AnswerDefence, RoundedValues, scenario::RoundedValues> register_rounded_values;

}  // namespace
}  // namespace souk
