#pragma once

#include <cstdint>
#include <span>

#include "sim/base/random.hpp"

namespace souk {

/// The words that a Stream of this name draws from its `first`th on, in bulk: `first` is a multiple of 4.
void random_words(std::uint64_t seed, const StreamKey& key, std::uint64_t first, std::span<std::uint32_t> out);

}  // namespace souk
