#include "aggregators/rule_tools.hpp"
#include "aggregators/signs.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Bernstein et al., "signSGD with Majority Vote is Communication Efficient and Fault Tolerant", ICLR 2019,
/// Algorithm 1.
class SignMajority final : public Aggregator {
 public:
  explicit SignMajority(const scenario::SignMajority&) {}

  RulePreserves preserves() const override { return {.scale = false, .translation = false, .unanimity = false}; }

  RuleOutput aggregate(const RuleInput& input) override {
    ColumnVector step = sum_of_signs(input.updates);
    for (float& value : step.values()) value = sign_of(value);
    return coordinate_wise(std::move(step), input.updates.rows());
  }
};

const Register<Aggregator, SignMajority, scenario::SignMajority> register_sign_majority;

}  // namespace
}  // namespace souk
