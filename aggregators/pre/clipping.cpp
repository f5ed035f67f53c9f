#include "aggregators/pre/pre_aggregator.hpp"
#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Every update scaled down to a norm of at most the bound.
class StaticClipping final : public PreAggregator {
 public:
  explicit StaticClipping(const scenario::Clipping& config) : bound_(config.bound()) {}

  RulePreserves preserves() const override { return {.scale = false, .translation = false, .unanimity = false}; }

  std::vector<double> mix(const PreInput& input) const override { return clipped_to(input, bound_); }

 private:
  double bound_;
};

const Register<PreAggregator, StaticClipping, scenario::Clipping> register_static_clipping;

}  // namespace
}  // namespace souk
