#pragma once

#include <cstdint>
#include <span>

#include "sim/base/random.hpp"

namespace souk {

/// Standard normal values by the transform of Box and Muller ("A Note on the Generation of Random Normal Deviates",
/// 1958), two of every four words of the stream of this name, from its `first`th value on, in bulk; `first` is even.
/// Not those of Stream::normal, and the same bits on every processor.
void normal_values(std::uint64_t seed, const StreamKey& key, std::uint64_t first, std::span<double> out);

/// Adds `sigma` times these values to `values`.
void add_normal_values(std::span<float> values, double sigma, std::uint64_t seed, const StreamKey& key,
                       std::uint64_t first = 0);

}  // namespace souk
