#include <cmath>
#include <vector>

#include "scenarios/learning.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/objective.hpp"
#include "sim/learn/objectives/class_probabilities.hpp"

namespace souk {
namespace {

/// Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, equation 4, for many classes and without class
/// weights.
class Focal final : public Objective {
 public:
  explicit Focal(const scenario::Focal& config) : gamma_(config.gamma()) {}
  bool of_classes() const override { return true; }

  void losses(std::span<const float> outputs, std::size_t width, const Targets& targets,
              std::span<double> out) const override {
    for_each_sample(outputs, width, targets, [&](std::size_t i, std::size_t label, const auto& probabilities) {
      out[i] = at(probabilities, label).loss;
    });
  }

  // With p = p_y, dL/dz_c = g (delta_yc - p_c), where g = p dL/dp.
  double gradient(std::span<float> outputs, std::size_t width, const Targets& targets,
                  std::size_t total) const override {
    double sum = 0.0;
    for_each_sample(outputs, width, targets, [&](std::size_t i, std::size_t label, const auto& probabilities) {
      const auto row = outputs.subspan(i * width, width);
      const Slope slope = at(probabilities, label);
      sum += slope.loss;
      for (std::size_t c = 0; c < width; ++c) {
        row[c] = static_cast<float>(slope.g * towards(probabilities, label, c) / static_cast<double>(total));
      }
    });
    return sum;
  }

  // Its derivative along u: p' dg/dp (delta_yc - p_c) - g p'_c, where p' is that of the probabilities.
  void curvature(std::span<const float> outputs, std::size_t width, const Targets& targets, std::size_t total,
                 std::span<float> direction) const override {
    std::vector<double> pushed(width);
    for_each_sample(outputs, width, targets, [&](std::size_t i, std::size_t label, const auto& probabilities) {
      const auto row = direction.subspan(i * width, width);
      probabilities.push(row, pushed);
      const Slope slope = at(probabilities, label);
      for (std::size_t c = 0; c < width; ++c) {
        const double value = slope.dg * pushed[label] * towards(probabilities, label, c) - slope.g * pushed[c];
        row[c] = static_cast<float>(value / static_cast<double>(total));
      }
    });
  }

 private:
  struct Slope {
    double loss = 0.0, g = 0.0, dg = 0.0;
  };

  Slope at(const ClassProbabilities& probabilities, std::size_t label) const {
    const double p = probabilities.of(label), log_p = probabilities.log_of(label), q = probabilities.of_others(label);
    if (q == 0.0) return {};  // certain, and right: the limit, where gamma is 1 or more
    const double power = std::pow(q, gamma_);
    const double ratio = log_p / q;  // towards -1 as q towards 0
    return {.loss = -power * log_p,
            .g = power * (gamma_ * p * ratio - 1.0),
            .dg = gamma_ * power / q * (2.0 + log_p - (gamma_ - 1.0) * p * ratio)};
  }

  static double towards(const ClassProbabilities& probabilities, std::size_t label, std::size_t c) {
    return c == label ? probabilities.of_others(label) : -probabilities.of(c);
  }

  double gamma_;
};

const Register<Objective, Focal, scenario::Focal> register_focal;

}  // namespace
}  // namespace souk
