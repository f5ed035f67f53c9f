#include "agents/inference/sample_images.hpp"

#include <algorithm>
#include <cmath>

namespace souk {
namespace {

std::vector<PixelScale> scales_of_bytes(const Scaling& scaling) {
  std::vector<PixelScale> scales;
  for (std::size_t c = 0; c < scaling.shift.size(); ++c) {
    scales.push_back({-scaling.shift[c] * scaling.scale[c], (255.0F - scaling.shift[c]) * scaling.scale[c]});
  }
  return scales;
}

/// Extremes of every channel over all samples; of a constant one, the value and one more.
std::vector<PixelScale> scales_of_values(const Dataset& data) {
  const std::size_t channels = data.shape().sample_shape[0], plane = data.features() / channels;
  std::vector<PixelScale> scales;
  std::vector<float> row(data.features());
  for (SampleIndex sample = 0; sample < data.size(); ++sample) {
    data.copy_features({&sample, 1}, row);
    for (std::size_t c = 0; c < channels; ++c) {
      const auto [low, high] = std::ranges::minmax(std::span<const float>(row).subspan(c * plane, plane));
      if (sample == 0) {
        scales.push_back({low, high});
      } else {
        scales[c] = {std::min(scales[c].zero, low), std::max(scales[c].one, high)};
      }
    }
  }
  for (PixelScale& scale : scales) {
    if (!(scale.one > scale.zero)) scale.one = scale.zero + 1.0F;
  }
  return scales;
}

}  // namespace

SampleImages::SampleImages(const Dataset& data)
    : data_(data),
      pixels_(data.shape().element == Element::u8 ? scales_of_bytes(data.scaling()) : scales_of_values(data)) {}

PixelGrid SampleImages::shape() const {
  const auto& [channels, height, width] = data_.shape().sample_shape;
  return {.channels = channels, .height = height, .width = width};
}

std::vector<float> SampleImages::features(std::span<const SampleIndex> samples) const {
  std::vector<float> values(samples.size() * size());
  data_.copy_features(samples, values);
  return values;
}

std::vector<double> SampleImages::of(std::span<const SampleIndex> samples) const {
  return of_features(features(samples));
}

std::vector<double> SampleImages::of_features(std::span<const float> features) const {
  const std::size_t plane = size() / pixels_.size();
  std::vector<double> images;
  images.reserve(features.size());
  for (std::size_t i = 0; i < features.size(); ++i) {
    const PixelScale& scale = pixels_[i % size() / plane];
    const double value = (static_cast<double>(features[i]) - static_cast<double>(scale.zero)) /
                         (static_cast<double>(scale.one) - static_cast<double>(scale.zero));
    images.push_back(std::isnan(value) ? 0.0 : std::clamp(value, 0.0, 1.0));
  }
  return images;
}

}  // namespace souk
