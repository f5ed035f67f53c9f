#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "sim/base/random.hpp"
#include "sim/learn/float_buffer.hpp"

namespace souk {

/// Random changes of training images: mirrored left and right with probability 1/2, and shifted by up to `shift`
/// pixels each way, the gap filled with 0. Three draws per image, whatever is on.
class Augmenter {
 public:
  Augmenter(bool flip, std::size_t shift, const std::array<std::size_t, 3>& image);
  bool active() const { return flip_ || shift_ > 0; }
  /// Changes images [count, channels, height, width] in place.
  void apply(Stream& random, std::span<float> images);

 private:
  struct Change {
    bool mirrored = false;
    std::ptrdiff_t down = 0, right = 0;
  };
  Change draw(Stream& random) const;
  void apply(const Change& change, std::span<float> plane);

  bool flip_;
  std::size_t shift_, channels_, height_, width_;
  FloatBuffer copy_;  ///< one plane
};

}  // namespace souk
