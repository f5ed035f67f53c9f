#include "sim/base/random_words.hpp"

#include <algorithm>
#include <array>

#include "sim/base/contract.hpp"
#include "sim/base/multiversion.hpp"

namespace souk {
namespace {

constexpr std::size_t lanes = 16;
using Lanes = std::array<std::uint32_t, lanes>;

/// philox4x32_10 of consecutive counters, side by side.
SOUK_MULTIVERSION void philox_blocks(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key,
                                     std::uint32_t* out) {
  Lanes a, b, c, d;
  for (std::size_t i = 0; i < lanes; ++i) {
    a[i] = counter[0] + static_cast<std::uint32_t>(i);
    b[i] = counter[1];
    c[i] = counter[2];
    d[i] = counter[3];
  }
  for (int round = 0; round < 10; ++round) {
    for (std::size_t i = 0; i < lanes; ++i) {
      const std::uint64_t first = std::uint64_t{0xD2511F53} * a[i];
      const std::uint64_t second = std::uint64_t{0xCD9E8D57} * c[i];
      a[i] = static_cast<std::uint32_t>(second >> 32) ^ b[i] ^ key[0];
      b[i] = static_cast<std::uint32_t>(second);
      c[i] = static_cast<std::uint32_t>(first >> 32) ^ d[i] ^ key[1];
      d[i] = static_cast<std::uint32_t>(first);
    }
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  for (std::size_t i = 0; i < lanes; ++i) {
    out[4 * i] = a[i];
    out[4 * i + 1] = b[i];
    out[4 * i + 2] = c[i];
    out[4 * i + 3] = d[i];
  }
}

}  // namespace

void random_words(std::uint64_t seed, const StreamKey& key, std::uint64_t first, std::span<std::uint32_t> out) {
  SOUK_EXPECT(first % 4 == 0 && first + out.size() <= (std::uint64_t{1} << 34) - 4 * lanes);
  std::array<std::uint32_t, 4> counter{static_cast<std::uint32_t>(first / 4),
                                       (static_cast<std::uint32_t>(key.purpose) << 16) | key.lane, key.agent.value,
                                       key.round.value};
  const std::array<std::uint32_t, 2> seeds{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
  std::array<std::uint32_t, 4 * lanes> block;
  for (std::size_t i = 0; i < out.size(); i += block.size(), counter[0] += lanes) {
    const std::size_t count = std::min(block.size(), out.size() - i);
    if (count == block.size()) {
      philox_blocks(counter, seeds, out.data() + i);
    } else {
      philox_blocks(counter, seeds, block.data());
      std::copy_n(block.begin(), count, out.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
}

}  // namespace souk
