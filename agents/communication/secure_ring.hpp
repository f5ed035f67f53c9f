#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace souk {

/// Values as whole numbers of units in a ring of 2^modulus_bits, in which secure aggregation adds them up (Bonawitz et
/// al., CCS 2017, section 3.1, of whom the rounding is not): X = round(x / greatest (2^(bits - 1) - 1)), up or down at
/// random so that the mean is right, cut at the greatest magnitude. What masks would add cancels in the sum, which is
/// exact.
class SecureRing {
 public:
  SecureRing(double greatest, unsigned bits, unsigned modulus_bits);
  /// Whether sums of whole multiples of values, `total` of them in all, stay within the ring.
  bool holds(std::uint64_t total) const;
  /// What a unit is worth.
  double unit() const { return unit_; }
  /// Adds factor * X of every value to `sums`, modulo the ring; `words` [values] say which way each is rounded. Returns
  /// how many values were cut.
  std::size_t add(std::span<const float> values, std::uint64_t factor, std::span<const std::uint32_t> words,
                  std::span<std::uint64_t> sums) const;
  /// A sum as a number again: between minus and plus half the ring, in units.
  double decode(std::uint64_t sum) const;
  /// A number of the ring is one below 2^modulus_bits.
  std::uint64_t mask() const { return mask_; }

 private:
  double unit_;
  std::int64_t top_;  ///< greatest whole number that a value becomes
  std::uint64_t mask_;
  unsigned modulus_bits_;
};

}  // namespace souk
