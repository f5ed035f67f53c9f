#include "sim/learn/augmentation.hpp"

#include <algorithm>

#include "sim/base/contract.hpp"

namespace souk {

Augmenter::Augmenter(bool flip, std::size_t shift, const std::array<std::size_t, 3>& image)
    : flip_(flip), shift_(shift), channels_(image[0]), height_(image[1]), width_(image[2]), copy_(height_ * width_) {}

Augmenter::Change Augmenter::draw(Stream& random) const {
  const auto reach = static_cast<std::uint32_t>(2 * shift_ + 1);
  const auto offset = [&] {
    return static_cast<std::ptrdiff_t>(random.below(reach)) - static_cast<std::ptrdiff_t>(shift_);
  };
  Change change;
  change.mirrored = random.below(2) == 1 && flip_;
  change.down = offset();
  change.right = offset();
  return change;
}

void Augmenter::apply(const Change& change, std::span<float> plane) {
  std::copy(plane.begin(), plane.end(), copy_.data());
  const auto height = static_cast<std::ptrdiff_t>(height_), width = static_cast<std::ptrdiff_t>(width_);
  float* out = plane.data();
  for (std::ptrdiff_t h = 0; h < height; ++h) {
    const std::ptrdiff_t from = h - change.down;
    for (std::ptrdiff_t w = 0; w < width; ++w) {
      const std::ptrdiff_t column = w - change.right;
      const bool inside = from >= 0 && from < height && column >= 0 && column < width;
      *out++ = inside ? copy_.data()[from * width + (change.mirrored ? width - 1 - column : column)] : 0.0F;
    }
  }
}

void Augmenter::apply(Stream& random, std::span<float> images) {
  const std::size_t plane = height_ * width_, image = channels_ * plane;
  SOUK_EXPECT(images.size() % image == 0);
  for (std::size_t begin = 0; begin < images.size(); begin += image) {
    const Change change = draw(random);
    if (!change.mirrored && change.down == 0 && change.right == 0) continue;
    for (std::size_t channel = 0; channel < channels_; ++channel) {
      apply(change, images.subspan(begin + channel * plane, plane));
    }
  }
}

}  // namespace souk
