#pragma once

#include <cstddef>
#include <vector>

#include "sim/learn/graphs/convolution.hpp"

namespace souk {

/// A weight [features, outputs] made ready for sparse features: of scaled columns, (x - shift) scale W = x (scale W) -
/// shift (scale W), so that no zero is filled in.
template <class T>
class FeatureWeight {
 public:
  /// `weight` and `scaling` must outlive it.
  FeatureWeight(const FeatureScaling& scaling, const T* weight, std::size_t features, std::size_t outputs)
      : given_(weight), outputs_(outputs) {
    if (scaling.scale.empty()) return;
    scaled_.assign(weight, weight + features * outputs);
    shifted_.assign(outputs, T{});
    for (std::size_t f = 0; f < features; ++f) {
      const T scale{static_cast<Scalar<T>>(scaling.scale[f])}, shift{static_cast<Scalar<T>>(scaling.shift[f])};
      for (std::size_t o = 0; o < outputs; ++o) {
        scaled_[f * outputs + o] = scale * scaled_[f * outputs + o];
        shifted_[o] += shift * scaled_[f * outputs + o];
      }
    }
  }
  const T* given() const { return given_; }
  std::size_t outputs() const { return outputs_; }
  /// What stored values are multiplied by.
  const T* of_stored() const { return scaled_.empty() ? given_ : scaled_.data(); }
  /// [outputs] What is then taken away from every row, times its factor; empty: nothing.
  const std::vector<T>& shifted() const { return shifted_; }

 private:
  const T* given_;
  std::size_t outputs_;
  std::vector<T> scaled_, shifted_;
};

}  // namespace souk
