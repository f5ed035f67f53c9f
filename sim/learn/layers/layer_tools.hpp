#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "sim/base/random.hpp"

namespace souk {

/// Values uniform within 1 / sqrt(fan_in), as PyTorch draws them.
inline void draw_uniform(std::size_t fan_in, Stream& random, std::span<float> values) {
  const float bound = 1.0F / std::sqrt(static_cast<float>(fan_in));
  for (float& value : values) value = bound * (2.0F * random.uniform_float() - 1.0F);
}

/// Added to variances by normalisations.
inline constexpr double norm_epsilon = 1e-5;

/// A size as LibTorch takes it.
inline std::int64_t to_signed(std::size_t size) { return static_cast<std::int64_t>(size); }

}  // namespace souk
