#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "sim/params/parameter_layout.hpp"

namespace souk {

/// An affine layer in a flat vector of parameters, or of their gradient.
struct AffineSlots {
  std::size_t weight = 0, bias = 0;  ///< where [outputs, inputs] and [outputs] begin
  std::size_t outputs = 0, inputs = 0;
  std::span<const float> weights(std::span<const float> flat) const { return flat.subspan(weight, outputs * inputs); }
  std::span<const float> row(std::span<const float> flat, std::size_t output) const {
    return flat.subspan(weight + output * inputs, inputs);
  }
  std::span<const float> biases(std::span<const float> flat) const { return flat.subspan(bias, outputs); }
};

/// The layer that reads so many inputs, if it is affine and has biases; nothing otherwise.
std::optional<AffineSlots> first_affine_layer(const ParameterLayout& layout, std::size_t inputs);

/// Likewise the one that answers so many outputs.
std::optional<AffineSlots> last_affine_layer(const ParameterLayout& layout, std::size_t outputs);

}  // namespace souk
