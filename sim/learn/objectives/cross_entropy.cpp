#include <algorithm>
#include <cmath>

#include "scenarios/learning.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/chain_kernels.hpp"
#include "sim/learn/objective.hpp"
#include "sim/learn/objectives/class_probabilities.hpp"

namespace souk {
namespace {

class CrossEntropy final : public Objective {
 public:
  explicit CrossEntropy(const scenario::CrossEntropy&) {}
  bool of_classes() const override { return true; }
  bool is_cross_entropy() const override { return true; }

  void losses(std::span<const float> outputs, std::size_t width, const Targets& targets,
              std::span<double> out) const override {
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = loss(outputs.subspan(i * width, width), static_cast<std::size_t>(targets.classes[i]));
    }
  }

  double gradient(std::span<float> outputs, std::size_t width, const Targets& targets,
                  std::size_t total) const override {
    return kernels::softmax_cross_entropy(outputs.data(), targets.classes.data(), targets.classes.size(), width, total);
  }

  void curvature(std::span<const float> outputs, std::size_t width, const Targets&, std::size_t total,
                 std::span<float> direction) const override {
    curvature_of_softmax(outputs, width, total, direction);
  }

 private:
  /// log(sum of exp) minus the label's logit, in double.
  static double loss(std::span<const float> logits, std::size_t label) {
    const double largest = *std::ranges::max_element(logits);
    double normaliser = 0.0;
    for (const float logit : logits) normaliser += std::exp(static_cast<double>(logit) - largest);
    return std::log(normaliser) + largest - static_cast<double>(logits[label]);
  }
};

const Register<Objective, CrossEntropy, scenario::CrossEntropy> register_cross_entropy;

}  // namespace
}  // namespace souk
