#pragma once

#include <span>
#include <vector>

#include "attacks/inference_attack.hpp"
#include "sim/data/dataset.hpp"
#include "sim/stats/image_quality.hpp"

namespace souk {

/// Samples as images in [0, 1], in which they are compared: bytes over 255, other values between the smallest and the
/// largest of their channel in the training set.
class SampleImages {
 public:
  /// `data` must outlive it.
  explicit SampleImages(const Dataset& data);
  std::span<const PixelScale> pixels() const { return pixels_; }
  PixelGrid shape() const;
  std::size_t size() const { return data_.features(); }
  /// [samples, size] of training samples.
  std::vector<double> of(std::span<const SampleIndex> samples) const;
  /// The same of what a network reads, clipped; what is no number is 0.
  std::vector<double> of_features(std::span<const float> features) const;
  /// [samples, size] as the network reads them.
  std::vector<float> features(std::span<const SampleIndex> samples) const;

 private:
  const Dataset& data_;
  std::vector<PixelScale> pixels_;  ///< [channels]
};

}  // namespace souk
