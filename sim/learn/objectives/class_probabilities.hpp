#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "sim/learn/objective.hpp"

namespace souk {

/// Soft-max of one row of logits, in double, for losses of classes.
class ClassProbabilities {
 public:
  /// NaN where a logit is NaN.
  void read(std::span<const float> logits);
  std::span<const double> all() const { return probabilities_; }
  double of(std::size_t label) const { return probabilities_[label]; }
  double log_of(std::size_t label) const { return logits_[label] - log_normaliser_; }
  /// 1 - of(label), without cancellation.
  double of_others(std::size_t label) const;
  /// Turns `direction` into the derivative of the probabilities along it: p_j (u_j - sum_k p_k u_k).
  void push(std::span<const float> direction, std::span<double> out) const;

 private:
  std::vector<double> logits_, probabilities_;
  double log_normaliser_ = 0.0;
};

/// Calls `use(i, label, probabilities)` for every sample, whose outputs it may then overwrite.
template <class Use>
void for_each_sample(std::span<const float> outputs, std::size_t width, const Targets& targets, Use use) {
  ClassProbabilities probabilities;
  for (std::size_t i = 0; i < targets.classes.size(); ++i) {
    probabilities.read(outputs.subspan(i * width, width));
    use(i, static_cast<std::size_t>(targets.classes[i]), std::as_const(probabilities));
  }
}

/// What cross-entropies do as Objective::curvature, whatever distribution of the classes is their target.
void curvature_of_softmax(std::span<const float> outputs, std::size_t width, std::size_t total,
                          std::span<float> direction);

}  // namespace souk
