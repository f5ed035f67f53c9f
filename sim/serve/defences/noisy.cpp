#include <limits>

#include "scenarios/service.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/serve/answers.hpp"

namespace souk {
namespace {

class NoisyValues final : public AnswerDefence {
 public:
  explicit NoisyValues(const scenario::NoisyValues& config) : sigma_(config.sigma()) {}

  ValueRange range(const ValueRange&) const override {
    return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  }
  void apply(std::span<double> values, Stream& noise) const override {
    for (double& value : values) value += sigma_ * noise.normal();
  }

 private:
  double sigma_;
};

const Register<AnswerDefence, NoisyValues, scenario::NoisyValues> register_noisy_values;

}  // namespace
}  // namespace souk
