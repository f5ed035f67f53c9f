#include "scenarios/learning.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/objective.hpp"
#include "sim/learn/objectives/class_probabilities.hpp"

namespace souk {
namespace {

/// Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016, section 7.
class LabelSmoothing final : public Objective {
 public:
  explicit LabelSmoothing(const scenario::LabelSmoothing& config) : epsilon_(config.epsilon()) {}
  bool of_classes() const override { return true; }

  void losses(std::span<const float> outputs, std::size_t width, const Targets& targets,
              std::span<double> out) const override {
    for_each_sample(outputs, width, targets, [&](std::size_t i, std::size_t label, const auto& probabilities) {
      out[i] = loss(probabilities, label, width);
    });
  }

  double gradient(std::span<float> outputs, std::size_t width, const Targets& targets,
                  std::size_t total) const override {
    double sum = 0.0;
    for_each_sample(outputs, width, targets, [&](std::size_t i, std::size_t label, const auto& probabilities) {
      const auto row = outputs.subspan(i * width, width);
      sum += loss(probabilities, label, width);
      for (std::size_t c = 0; c < width; ++c) {
        row[c] = static_cast<float>((probabilities.of(c) - wanted(c == label, width)) / static_cast<double>(total));
      }
    });
    return sum;
  }

  /// The target is linear in the logarithms of the probabilities: the curvature is that of the cross-entropy.
  void curvature(std::span<const float> outputs, std::size_t width, const Targets&, std::size_t total,
                 std::span<float> direction) const override {
    curvature_of_softmax(outputs, width, total, direction);
  }

 private:
  double wanted(bool is_label, std::size_t classes) const {
    return (is_label ? 1.0 - epsilon_ : 0.0) + epsilon_ / static_cast<double>(classes);
  }
  double loss(const ClassProbabilities& probabilities, std::size_t label, std::size_t classes) const {
    double sum = 0.0;
    for (std::size_t c = 0; c < classes; ++c) sum -= wanted(c == label, classes) * probabilities.log_of(c);
    return sum;
  }
  double epsilon_;
};

const Register<Objective, LabelSmoothing, scenario::LabelSmoothing> register_label_smoothing;

}  // namespace
}  // namespace souk
