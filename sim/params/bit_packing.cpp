#include "sim/params/bit_packing.hpp"

#include <algorithm>
#include <cstring>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

/// So many numbers of at most 8 bits each fill as many bytes as they have bits.
constexpr std::size_t in_bytes = 8;

void pack_eights(std::span<const std::uint16_t> numbers, unsigned bits, std::byte* out) {
  for (std::size_t i = 0; i + in_bytes <= numbers.size(); i += in_bytes, out += bits) {
    std::uint64_t word = 0;
    for (unsigned k = 0; k < in_bytes; ++k) word |= std::uint64_t{numbers[i + k]} << (k * bits);
    std::memcpy(out, &word, bits);
  }
}

void unpack_eights(const std::byte* packed, unsigned bits, std::span<std::uint16_t> numbers) {
  const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
  for (std::size_t i = 0; i + in_bytes <= numbers.size(); i += in_bytes, packed += bits) {
    std::uint64_t word = 0;
    std::memcpy(&word, packed, bits);
    for (unsigned k = 0; k < in_bytes; ++k) numbers[i + k] = static_cast<std::uint16_t>(word >> (k * bits) & mask);
  }
}

void pack_one_by_one(std::span<const std::uint16_t> numbers, unsigned bits, std::span<std::byte> out) {
  std::uint64_t word = 0;
  unsigned filled = 0;
  std::size_t at = 0;
  for (const std::uint16_t number : numbers) {
    word |= std::uint64_t{number} << filled;
    for (filled += bits; filled >= 8; filled -= 8, word >>= 8) out[at++] = static_cast<std::byte>(word);
  }
  if (filled > 0) out[at++] = static_cast<std::byte>(word);
}

void unpack_one_by_one(std::span<const std::byte> packed, unsigned bits, std::span<std::uint16_t> numbers) {
  const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
  std::uint64_t word = 0;
  unsigned filled = 0;
  std::size_t at = 0;
  for (std::uint16_t& number : numbers) {
    for (; filled < bits; filled += 8) word |= std::to_integer<std::uint64_t>(packed[at++]) << filled;
    number = static_cast<std::uint16_t>(word & mask);
    word >>= bits;
    filled -= bits;
  }
}

/// How many numbers fill whole bytes by eights.
std::size_t by_eights(std::size_t n, unsigned bits) { return bits <= 8 ? n / in_bytes * in_bytes : 0; }

}  // namespace

void pack_bits(std::span<const std::uint16_t> numbers, unsigned bits, std::span<std::byte> out) {
  SOUK_EXPECT(bits >= 1 && bits <= 16 && out.size() == packed_bytes(numbers.size(), bits));
  const std::size_t whole = by_eights(numbers.size(), bits);
  pack_eights(numbers.first(whole), bits, out.data());
  pack_one_by_one(numbers.subspan(whole), bits, out.subspan(whole * bits / 8));
}

void unpack_bits(std::span<const std::byte> packed, unsigned bits, std::span<std::uint16_t> numbers) {
  SOUK_EXPECT(bits >= 1 && bits <= 16 && packed.size() == packed_bytes(numbers.size(), bits));
  const std::size_t whole = by_eights(numbers.size(), bits);
  unpack_eights(packed.data(), bits, numbers.first(whole));
  unpack_one_by_one(packed.subspan(whole * bits / 8), bits, numbers.subspan(whole));
}

}  // namespace souk
