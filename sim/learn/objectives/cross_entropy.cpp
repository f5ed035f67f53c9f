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
  bool takes_shares() const override { return true; }

  void losses(std::span<const float> outputs, std::size_t width, const Targets& targets,
              std::span<double> out) const override {
    if (!targets.shares.empty()) return losses_of_shares(outputs, width, targets, out);
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = loss(outputs.subspan(i * width, width), static_cast<std::size_t>(targets.classes[i]));
    }
  }

  double gradient(std::span<float> outputs, std::size_t width, const Targets& targets,
                  std::size_t total) const override {
    if (!targets.shares.empty()) return gradient_of_shares(outputs, width, targets, total);
    return kernels::softmax_cross_entropy(outputs.data(), targets.classes.data(), targets.classes.size(), width, total);
  }

  void curvature(std::span<const float> outputs, std::size_t width, const Targets&, std::size_t total,
                 std::span<float> direction) const override {
    curvature_of_softmax(outputs, width, total, direction);
  }

  /// Of -log p_c / total, whose derivative along u is -(u_c - sum_k p_k u_k) / total.
  void share_slopes(std::span<const float> outputs, std::size_t width, std::size_t total,
                    std::span<float> direction) const override {
    ClassProbabilities probabilities;
    for (std::size_t first = 0; first < outputs.size(); first += width) {
      const auto row = direction.subspan(first, width);
      probabilities.read(outputs.subspan(first, width));
      double mean = 0.0;
      for (std::size_t c = 0; c < width; ++c) mean += probabilities.of(c) * static_cast<double>(row[c]);
      for (float& value : row) {
        value = static_cast<float>((mean - static_cast<double>(value)) / static_cast<double>(total));
      }
    }
  }

 private:
  static double loss_of_shares(const ClassProbabilities& probabilities, std::span<const float> shares) {
    double sum = 0.0;
    for (std::size_t c = 0; c < shares.size(); ++c) {
      sum -= shares[c] == 0.0F ? 0.0 : static_cast<double>(shares[c]) * probabilities.log_of(c);
    }
    return sum;
  }

  static void losses_of_shares(std::span<const float> outputs, std::size_t width, const Targets& targets,
                               std::span<double> out) {
    ClassProbabilities probabilities;
    for (std::size_t i = 0; i < out.size(); ++i) {
      probabilities.read(outputs.subspan(i * width, width));
      out[i] = loss_of_shares(probabilities, targets.shares.subspan(i * width, width));
    }
  }

  static double gradient_of_shares(std::span<float> outputs, std::size_t width, const Targets& targets,
                                   std::size_t total) {
    ClassProbabilities probabilities;
    double sum = 0.0;
    for (std::size_t first = 0; first < outputs.size(); first += width) {
      const auto row = outputs.subspan(first, width);
      const auto shares = targets.shares.subspan(first, width);
      probabilities.read(row);
      sum += loss_of_shares(probabilities, shares);
      for (std::size_t c = 0; c < width; ++c) {
        row[c] =
            static_cast<float>((probabilities.of(c) - static_cast<double>(shares[c])) / static_cast<double>(total));
      }
    }
    return sum;
  }

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
