// Signs as bits, 64 values to a word. Highway compiles this file once per instruction set.
#include "sim/params/packed_signs.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "sim/base/contract.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/params/packed_signs.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which tells it the instruction set.
#include <hwy/highway.h>

#ifndef SOUK_PACKED_SIGNS_ONCE
#define SOUK_PACKED_SIGNS_ONCE
namespace souk {
namespace {

constexpr std::size_t values_of_word = 64;

}  // namespace
}  // namespace souk
#endif

HWY_BEFORE_NAMESPACE();
namespace souk::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;

/// Of whole words.
void signs_to_words(const float* HWY_RESTRICT values, std::size_t words, std::byte* HWY_RESTRICT out) {
  const Floats tag;
  for (std::size_t w = 0; w < words; ++w) {
    std::uint64_t word = 0;
    for (std::size_t k = 0; k < values_of_word; k += hn::Lanes(tag)) {
      const auto negative = hn::Lt(hn::LoadU(tag, values + w * values_of_word + k), hn::Zero(tag));
      std::array<std::uint8_t, 8> bits{};
      hn::StoreMaskBits(tag, negative, bits.data());
      std::uint64_t part = 0;
      std::memcpy(&part, bits.data(), bits.size());
      word |= part << k;
    }
    std::memcpy(out + w * sizeof word, &word, sizeof word);
  }
}

void words_to_values(const std::byte* HWY_RESTRICT packed, std::size_t words, float positive, float negative,
                     float* HWY_RESTRICT values) {
  const Floats tag;
  const auto when_set = hn::Set(tag, negative), otherwise = hn::Set(tag, positive);
  for (std::size_t w = 0; w < words; ++w) {
    std::uint64_t word = 0;
    std::memcpy(&word, packed + w * sizeof word, sizeof word);
    for (std::size_t k = 0; k < values_of_word; k += hn::Lanes(tag)) {
      const std::uint64_t part = word >> k;
      std::array<std::uint8_t, 8> bits;
      std::memcpy(bits.data(), &part, bits.size());
      hn::StoreU(hn::IfThenElse(hn::LoadMaskBits(tag, bits.data()), when_set, otherwise), tag,
                 values + w * values_of_word + k);
    }
  }
}

}  // namespace
}  // namespace souk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace souk {

HWY_EXPORT(signs_to_words);
HWY_EXPORT(words_to_values);

void pack_signs(std::span<const float> values, std::span<std::byte> out) {
  SOUK_EXPECT(out.size() == (values.size() + 7) / 8);
  const std::size_t words = values.size() / values_of_word;
  HWY_DYNAMIC_DISPATCH(signs_to_words)(values.data(), words, out.data());
  const std::span<const float> rest = values.subspan(words * values_of_word);
  std::uint64_t last = 0;
  for (std::size_t k = 0; k < rest.size(); ++k) last |= std::uint64_t{rest[k] < 0.0F} << k;
  std::memcpy(out.data() + words * sizeof last, &last, (rest.size() + 7) / 8);
}

void unpack_signs(std::span<const std::byte> packed, float positive, float negative, std::span<float> values) {
  SOUK_EXPECT(packed.size() == (values.size() + 7) / 8);
  const std::size_t words = values.size() / values_of_word;
  HWY_DYNAMIC_DISPATCH(words_to_values)(packed.data(), words, positive, negative, values.data());
  const std::span<float> rest = values.subspan(words * values_of_word);
  std::uint64_t last = 0;
  std::memcpy(&last, packed.data() + words * sizeof last, (rest.size() + 7) / 8);
  for (std::size_t k = 0; k < rest.size(); ++k) rest[k] = (last >> k & 1) != 0 ? negative : positive;
}

}  // namespace souk
#endif
