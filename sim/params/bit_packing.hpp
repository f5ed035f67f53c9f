#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace souk {

/// Bytes of n numbers of so many bits each.
constexpr std::size_t packed_bytes(std::size_t n, unsigned bits) { return (n * bits + 7) / 8; }

/// Fewest bits that tell so many numbers apart; 1 at least.
constexpr unsigned bits_for(std::uint64_t numbers) {
  unsigned bits = 1;
  while ((std::uint64_t{1} << bits) < numbers) ++bits;
  return bits;
}

/// Writes numbers below 2^bits one behind the other, the first in the lowest bits of the first byte; bits 1 to 16. What
/// is left of the last byte is 0.
void pack_bits(std::span<const std::uint16_t> numbers, unsigned bits, std::span<std::byte> out);

/// The same read back; `packed` has packed_bytes of them.
void unpack_bits(std::span<const std::byte> packed, unsigned bits, std::span<std::uint16_t> numbers);

}  // namespace souk
