#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "attacks/inference_attack.hpp"
#include "sim/learn/model.hpp"

namespace souk {

/// Which of an even number of shadows have which samples: every sample is in half of them, drawn for it alone, by the
/// ranks of as many uniform numbers as there are shadows.
class ShadowSplit {
 public:
  ShadowSplit(std::size_t samples, std::size_t shadows, std::uint64_t seed);
  std::size_t shadows() const { return shadows_; }
  bool has(std::size_t shadow, std::size_t sample) const { return has_[sample * shadows_ + shadow] != 0; }
  /// Samples of a shadow, ascending.
  std::vector<std::uint32_t> samples_of(std::size_t shadow) const;

 private:
  std::size_t shadows_;
  std::vector<std::uint8_t> has_;  ///< [samples, shadows]
};

/// How shadows are trained: mini-batches of a fresh order in every pass, plain steps.
struct ShadowTraining {
  std::size_t passes = 1, batch_size = 1;
  double rate = 0.1;
};

/// Samples that shadows are trained on, in memory of their own.
class ShadowPool {
 public:
  /// One table behind the other.
  ShadowPool(const SampleTable& first, const SampleTable& second);
  std::size_t size() const { return labels_.size(); }
  std::int32_t label(std::size_t sample) const { return labels_[sample]; }
  /// So many of its samples, from the first given on, or as many as there are.
  Batch part(std::size_t first, std::size_t count) const;
  /// These samples, in their order; valid until the next call.
  Batch gathered(std::span<const std::uint32_t> samples);

 private:
  std::size_t width_;
  std::vector<float> features_, chosen_;
  std::vector<std::int32_t> labels_, chosen_labels_;
};

/// Parameters of a shadow, [dimension], trained from first weights of its own. `seed` and `shadow` name its draws;
/// `after_step` may be empty.
std::vector<float> trained_shadow(Network& network, ShadowPool& pool, const ShadowSplit& split, std::size_t shadow,
                                  const ShadowTraining& training, std::uint64_t seed,
                                  const std::function<void()>& after_step);

}  // namespace souk
