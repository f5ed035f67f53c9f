#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/columnwise.hpp"

namespace souk {
namespace {

/// Yin, Chen, Ramchandran, Bartlett, "Byzantine-Robust Distributed Learning: Towards Optimal Statistical Rates",
/// ICML 2018, Definition 1. No communication.
class Median final : public Aggregator {
 public:
  explicit Median(const scenario::Median&) {}

  RuleOutput aggregate(const RuleInput& input) override {
    return coordinate_wise(median_of_columns(input.updates), input.submissions.size());
  }
};

const Register<Aggregator, Median, scenario::Median> register_median;

}  // namespace
}  // namespace souk
