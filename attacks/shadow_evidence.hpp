#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "attacks/membership_scores.hpp"
#include "attacks/shadow_models.hpp"

namespace souk {

/// Logits that a model answers to the samples of a pool.
class PoolAnswers {
 public:
  /// Writes the logits, [samples, classes], of whoever answers a batch.
  using Model = std::function<void(const Batch& batch, std::span<float> logits)>;
  /// `at_once`: samples of a batch, at most.
  PoolAnswers(const ShadowPool& pool, std::size_t classes, std::size_t at_once, const Model& model);
  /// Of a network with these parameters, [dimension].
  PoolAnswers(const ShadowPool& pool, Network& network, std::span<const float> parameters, std::size_t at_once);
  std::span<const float> of(std::size_t sample) const {
    return std::span(logits_).subspan(sample * classes_, classes_);
  }
  /// [samples] Of each, the logit of the confidence in its class: what LiRA goes by.
  std::vector<double> confidence_logits(const ShadowPool& pool) const;

 private:
  std::size_t classes_;
  std::vector<float> logits_;
};

/// Of the samples from `first` to `last` of a pool, what is seen of them: `of_target(sample)`, and `of_shadow(shadow,
/// sample)` of shadows that have the sample and that do not.
template <class OfTarget, class OfShadow>
std::vector<ShadowSignals> shadow_signals(const ShadowSplit& split, std::size_t first, std::size_t last,
                                          const OfTarget& of_target, const OfShadow& of_shadow) {
  std::vector<ShadowSignals> all;
  for (std::size_t sample = first; sample < last; ++sample) {
    ShadowSignals& one = all.emplace_back();
    one.target = of_target(sample);
    for (std::size_t shadow = 0; shadow < split.shadows(); ++shadow) {
      (split.has(shadow, sample) ? one.in : one.out).push_back(of_shadow(shadow, sample));
    }
  }
  return all;
}

}  // namespace souk
