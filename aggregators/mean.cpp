#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// McMahan et al., "Communication-Efficient Learning of Deep Networks from Decentralized Data", AISTATS 2017,
/// Algorithm 1: sum over i of n_i / n times update i. One pass over memory.
class Mean final : public Aggregator {
 public:
  explicit Mean(const scenario::Mean& config) : by_samples_(config.weighting() == scenario::Mean::BY_SAMPLES) {}

  /// Of shares of samples none: a client's number of them moves everybody's share.
  std::optional<double> sensitivity(double bound) const override {
    return by_samples_ ? std::nullopt : std::optional(bound);
  }

  RuleOutput aggregate(const RuleInput& input) override {
    return weighted_sum(input,
                        by_samples_ ? sample_shares(input.submissions) : uniform_weights(input.submissions.size()));
  }

 private:
  bool by_samples_;
};

const Register<Aggregator, Mean, scenario::Mean> register_mean;

}  // namespace
}  // namespace souk
