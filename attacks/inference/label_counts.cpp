#include "attacks/inference_attack.hpp"
#include "attacks/seen_labels.hpp"
#include "scenarios/inference.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Counts of classes from the last layer alone: no derivatives beyond those that are seen.
class LabelCounts final : public ReadWith<KnowsTraining, AuxiliaryIfThere> {
 public:
  explicit LabelCounts(const scenario::LabelCounts& config) : config_(config) {}

  void check(const InferenceSetting& setting) const override {
    check_label_estimate(config_.estimator(), "label_counts.estimator", setting);
  }

  std::string claims() const override { return "counts of classes"; }

  Attempt infer(const View& view) const override {
    return {.claim = ClaimedCounts{
                estimated_counts(config_.estimator(), config_.both_models(), view, view, view.auxiliary())}};
  }

 private:
  scenario::LabelCounts config_;
};

const Register<InferenceAttack, LabelCounts, scenario::LabelCounts> register_label_counts;

}  // namespace
}  // namespace souk
