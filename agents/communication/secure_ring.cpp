#include "agents/communication/secure_ring.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sim/base/contract.hpp"

namespace souk {

SecureRing::SecureRing(double greatest, unsigned bits, unsigned modulus_bits)
    : top_((std::int64_t{1} << (bits - 1)) - 1),
      mask_(modulus_bits == 64 ? std::numeric_limits<std::uint64_t>::max() : (std::uint64_t{1} << modulus_bits) - 1),
      modulus_bits_(modulus_bits) {
  SOUK_EXPECT(bits >= 2 && bits <= 31 && modulus_bits >= 2 && modulus_bits <= 64);
  unit_ = greatest / static_cast<double>(top_);
}

bool SecureRing::holds(std::uint64_t total) const {
  const std::uint64_t half = std::uint64_t{1} << (modulus_bits_ - 1);
  return total <= (half - 1) / static_cast<std::uint64_t>(top_);
}

std::size_t SecureRing::add(std::span<const float> values, std::uint64_t factor, std::span<const std::uint32_t> words,
                            std::span<std::uint64_t> sums) const {
  SOUK_EXPECT(words.size() == values.size() && sums.size() == values.size());
  const double per_unit = 1.0 / unit_;
  const auto top = static_cast<double>(top_);
  std::size_t cut = 0;
  for (std::size_t j = 0; j < values.size(); ++j) {
    const double scaled = static_cast<double>(values[j]) * per_unit;
    const double inside = std::clamp(scaled, -top, top);
    cut += inside != scaled ? 1 : 0;
    const double below = std::floor(inside);
    const double up = static_cast<double>(words[j]) * 0x1p-32 < inside - below ? 1.0 : 0.0;
    const auto whole = static_cast<std::int64_t>(below + up);
    sums[j] = (sums[j] + factor * static_cast<std::uint64_t>(whole)) & mask_;
  }
  return cut;
}

double SecureRing::decode(std::uint64_t sum) const {
  const unsigned shift = 64 - modulus_bits_;
  const auto centred = static_cast<std::int64_t>(sum << shift) >> shift;
  return static_cast<double>(centred) * unit_;
}

}  // namespace souk
