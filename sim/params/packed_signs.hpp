#pragma once

#include <cstddef>
#include <span>

namespace souk {

/// A bit for every value, the first in the lowest bit of the first byte: whether it is below 0. What is left of the
/// last byte is 0; `out` has packed_bytes(values, 1).
void pack_signs(std::span<const float> values, std::span<std::byte> out);

/// Value by value: `negative` where the bit is set, else `positive`.
void unpack_signs(std::span<const std::byte> packed, float positive, float negative, std::span<float> values);

}  // namespace souk
