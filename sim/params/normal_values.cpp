#include "sim/params/normal_values.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <numbers>

#include "sim/base/contract.hpp"
#include "sim/base/multiversion.hpp"
#include "sim/params/random_words.hpp"

// Elementary functions of our own, without branches and calls, so that compilers take several values at a time; their
// steps are the same on every processor, because nothing is contracted. Accurate to a few units of the last place.

namespace souk {
namespace {

constexpr std::size_t pairs_together = 256;

/// In [1, 2), the 52 upper bits of two words.
inline double from_words(std::uint32_t high, std::uint32_t low) {
  const std::uint64_t bits = (std::uint64_t{high} << 32 | low) >> 12;
  return std::bit_cast<double>(bits | 0x3FF0000000000000ULL);
}

/// ln x of a normal x in (0, 1]: x = 2^e m, m in [sqrt(1/2), sqrt(2)), and ln m = 2 artanh((m - 1) / (m + 1)) by its
/// series.
inline double logarithm(double x) {
  constexpr std::uint64_t half_root = 0x3FE6A09E667F3BCDULL;  // bits of sqrt(1/2)
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
  const std::uint64_t steps = (bits - half_root) & 0xFFF0000000000000ULL;  // e in the place of an exponent
  const double m = std::bit_cast<double>(bits - steps);
  // An integer in the lower bits of a double of exponent 52 is its value; e is between -53 and 0.
  constexpr double shift = 0x1p52 + 2048.0;
  const double e = std::bit_cast<double>((((steps >> 52) + 2048) & 0xFFFULL) | 0x4330000000000000ULL) - shift;
  const double s = (m - 1.0) / (m + 1.0), z = s * s;
  double series = 1.0 / 23.0;
  series = series * z + 1.0 / 21.0;
  series = series * z + 1.0 / 19.0;
  series = series * z + 1.0 / 17.0;
  series = series * z + 1.0 / 15.0;
  series = series * z + 1.0 / 13.0;
  series = series * z + 1.0 / 11.0;
  series = series * z + 1.0 / 9.0;
  series = series * z + 1.0 / 7.0;
  series = series * z + 1.0 / 5.0;
  series = series * z + 1.0 / 3.0;
  return e * std::numbers::ln2 + 2.0 * (s + s * z * series);
}

struct SineAndCosine {
  double sine, cosine;
};

/// Of 2 pi v, v in [0, 1]: by the nearest quarter turn, and Taylor's series of what is left.
inline SineAndCosine turned(double v) {
  constexpr double rounding = 0x1.8p52;  // added and taken off, it rounds to a whole number
  const double shifted = 4.0 * v + rounding;
  const double r = (4.0 * v - (shifted - rounding)) * (std::numbers::pi / 2.0), z = r * r;
  double sine = 1.0 / 355687428096000.0;
  sine = sine * z - 1.0 / 1307674368000.0;
  sine = sine * z + 1.0 / 6227020800.0;
  sine = sine * z - 1.0 / 39916800.0;
  sine = sine * z + 1.0 / 362880.0;
  sine = sine * z - 1.0 / 5040.0;
  sine = sine * z + 1.0 / 120.0;
  sine = sine * z - 1.0 / 6.0;
  sine = r + r * z * sine;
  double cosine = 1.0 / 20922789888000.0;
  cosine = cosine * z - 1.0 / 87178291200.0;
  cosine = cosine * z + 1.0 / 479001600.0;
  cosine = cosine * z - 1.0 / 3628800.0;
  cosine = cosine * z + 1.0 / 40320.0;
  cosine = cosine * z - 1.0 / 720.0;
  cosine = cosine * z + 1.0 / 24.0;
  cosine = cosine * z - 1.0 / 2.0;
  cosine = 1.0 + z * cosine;
  // After 0 or 4, 1, 2, 3 quarters: (s, c), (c, -s), (-s, -c), (-c, s).
  const std::uint64_t quarter = std::bit_cast<std::uint64_t>(shifted);  // in its lowest bits
  const std::uint64_t odd = 0 - (quarter & 1U);                         // all bits, or none
  const std::uint64_t s = std::bit_cast<std::uint64_t>(sine), c = std::bit_cast<std::uint64_t>(cosine);
  const std::uint64_t of_sine = ((s & ~odd) | (c & odd)) ^ ((quarter & 2U) << 62);
  const std::uint64_t of_cosine = ((c & ~odd) | (s & odd)) ^ (((quarter + 1) & 2U) << 62);
  return {std::bit_cast<double>(of_sine), std::bit_cast<double>(of_cosine)};
}

/// Pairs of normal values from four words each; loop by loop, each of which is vectorised.
SOUK_MULTIVERSION void transform_words(const std::uint32_t* words, double* out) {
  std::array<double, pairs_together> radius, turn, sine, cosine;
  for (std::size_t i = 0; i < pairs_together; ++i) {
    radius[i] = 2.0 - from_words(words[4 * i], words[4 * i + 1]);  // in (0, 1]
    turn[i] = from_words(words[4 * i + 2], words[4 * i + 3]) - 1.0;
  }
  for (std::size_t i = 0; i < pairs_together; ++i) radius[i] = std::sqrt(-2.0 * logarithm(radius[i]));
  for (std::size_t i = 0; i < pairs_together; ++i) {
    const SineAndCosine direction = turned(turn[i]);
    sine[i] = radius[i] * direction.sine;
    cosine[i] = radius[i] * direction.cosine;
  }
  for (std::size_t i = 0; i < pairs_together; ++i) {
    out[2 * i] = cosine[i];
    out[2 * i + 1] = sine[i];
  }
}

}  // namespace

void normal_values(std::uint64_t seed, const StreamKey& key, std::uint64_t first, std::span<double> out) {
  SOUK_EXPECT(first % 2 == 0);
  std::array<std::uint32_t, 4 * pairs_together> words;
  std::array<double, 2 * pairs_together> values;
  for (std::size_t i = 0; i < out.size(); i += values.size()) {
    const std::span<double> piece = out.subspan(i, std::min(values.size(), out.size() - i));
    random_words(seed, key, 2 * (first + i), words);
    transform_words(words.data(), values.data());
    std::copy_n(values.begin(), piece.size(), piece.begin());
  }
}

void add_normal_values(std::span<float> values, double sigma, std::uint64_t seed, const StreamKey& key,
                       std::uint64_t first) {
  std::array<double, 512> noise;
  for (std::size_t begin = 0; begin < values.size(); begin += noise.size()) {
    const std::size_t count = std::min(noise.size(), values.size() - begin);
    normal_values(seed, key, first + begin, std::span(noise).first(count));
    for (std::size_t i = 0; i < count; ++i) {
      float& value = values[begin + i];
      value = static_cast<float>(static_cast<double>(value) + sigma * noise[i]);
    }
  }
}

}  // namespace souk
