#include "aggregators/aggregator.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// McMahan et al., "Communication-Efficient Learning of Deep Networks from Decentralized Data", AISTATS 2017,
/// Algorithm 1: sum over i of n_i / n times update i. One pass over memory.
class Mean final : public Aggregator {
 public:
  explicit Mean(const scenario::Mean& config) : by_samples_(config.weighting() == scenario::Mean::BY_SAMPLES) {}

  RuleOutput aggregate(const RuleInput& input) override {
    std::vector<double> weights = by_samples_ ? shares(input.submissions) : uniform_weights(input.submissions.size());
    ColumnVector step = combine(input.updates, weights);
    return {.step = std::move(step), .weights = std::move(weights), .scores = {}, .diagnostics = {}};
  }

 private:
  static std::vector<double> shares(std::span<const Submission> submissions) {
    double total = 0.0;
    for (const Submission& submission : submissions) total += static_cast<double>(submission.samples);
    if (total == 0.0) return uniform_weights(submissions.size());
    std::vector<double> weights;
    for (const Submission& submission : submissions) weights.push_back(static_cast<double>(submission.samples) / total);
    return weights;
  }
  bool by_samples_;
};

const Register<Aggregator, Mean, scenario::Mean> registered;

}  // namespace
}  // namespace souk
