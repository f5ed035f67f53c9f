// Philox4x32-10 of many counters at once, one per lane. Highway compiles this file once per instruction set.
#include "sim/params/random_words.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "sim/base/contract.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/params/random_words.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which tells it the instruction set.
#include <hwy/highway.h>

#ifndef SOUK_RANDOM_WORDS_ONCE
#define SOUK_RANDOM_WORDS_ONCE
namespace souk {
namespace {

constexpr std::size_t blocks_together = 64;  // a multiple of two vectors' lanes in every instruction set

struct PhiloxName {
  std::array<std::uint32_t, 4> counter;
  std::array<std::uint32_t, 2> key;
};

}  // namespace
}  // namespace souk
#endif

HWY_BEFORE_NAMESPACE();
namespace souk::HWY_NAMESPACE {
namespace {

#if HWY_TARGET == HWY_SCALAR  // has no wide products
void fill_words(const PhiloxName& name, std::size_t blocks, std::uint32_t* HWY_RESTRICT out) {
  std::array<std::uint32_t, 4> counter = name.counter;
  for (std::size_t block = 0; block < blocks; ++block, ++counter[0]) {
    std::ranges::copy(philox4x32_10(counter, name.key), out + 4 * block);
  }
}
#else
namespace hn = hwy::HWY_NAMESPACE;
using Words = hn::ScalableTag<std::uint32_t>;
using Vector = hn::Vec<Words>;

/// The upper halves of the products with a constant.
HWY_INLINE Vector upper_half(Words d, Vector values, Vector factor) {
  const hn::Repartition<std::uint64_t, Words> wide;
  const auto even = hn::MulEven(values, factor);
  const Vector odd_values = hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(wide, values)));
  const auto odd = hn::MulEven(odd_values, factor);
  return hn::OddEven(hn::BitCast(d, odd), hn::BitCast(d, hn::ShiftRight<32>(even)));
}

struct Lanes {
  Vector a, b, c, d;
};

HWY_INLINE void mix(Words tag, Lanes& lanes, Vector first_key, Vector second_key) {
  const Vector first_factor = hn::Set(tag, 0xD2511F53U), second_factor = hn::Set(tag, 0xCD9E8D57U);
  const Vector first_upper = upper_half(tag, lanes.a, first_factor);
  const Vector second_upper = upper_half(tag, lanes.c, second_factor);
  const Vector first_lower = hn::Mul(lanes.a, first_factor), second_lower = hn::Mul(lanes.c, second_factor);
  lanes.a = hn::Xor(hn::Xor(second_upper, lanes.b), first_key);
  lanes.b = second_lower;
  lanes.c = hn::Xor(hn::Xor(first_upper, lanes.d), second_key);
  lanes.d = first_lower;
}

/// So many blocks of four words, a multiple of blocks_together; two vectors of counters at a time.
void fill_words(const PhiloxName& name, std::size_t blocks, std::uint32_t* HWY_RESTRICT out) {
  const Words tag;
  const std::size_t lanes = hn::Lanes(tag);
  for (std::size_t block = 0; block < blocks; block += 2 * lanes) {
    const Vector counter = hn::Iota(tag, name.counter[0] + static_cast<std::uint32_t>(block));
    const Vector b = hn::Set(tag, name.counter[1]), c = hn::Set(tag, name.counter[2]),
                 d = hn::Set(tag, name.counter[3]);
    Lanes first{counter, b, c, d};
    Lanes second{hn::Add(counter, hn::Set(tag, static_cast<std::uint32_t>(lanes))), b, c, d};
    std::uint32_t low = name.key[0], high = name.key[1];
    for (int round = 0; round < 10; ++round, low += 0x9E3779B9U, high += 0xBB67AE85U) {
      mix(tag, first, hn::Set(tag, low), hn::Set(tag, high));
      mix(tag, second, hn::Set(tag, low), hn::Set(tag, high));
    }
    hn::StoreInterleaved4(first.a, first.b, first.c, first.d, tag, out + 4 * block);
    hn::StoreInterleaved4(second.a, second.b, second.c, second.d, tag, out + 4 * (block + lanes));
  }
}

#endif

}  // namespace
}  // namespace souk::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace souk {

HWY_EXPORT(fill_words);

void random_words(std::uint64_t seed, const StreamKey& key, std::uint64_t first, std::span<std::uint32_t> out) {
  SOUK_EXPECT(first % 4 == 0 && first + out.size() <= (std::uint64_t{1} << 34) - 4 * blocks_together);
  PhiloxName name{{static_cast<std::uint32_t>(first / 4), (static_cast<std::uint32_t>(key.purpose) << 16) | key.lane,
                   key.agent.value, key.round.value},
                  {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}};
  const std::size_t whole = out.size() / (4 * blocks_together) * blocks_together;
  HWY_DYNAMIC_DISPATCH(fill_words)(name, whole, out.data());
  if (4 * whole == out.size()) return;
  name.counter[0] += static_cast<std::uint32_t>(whole);
  std::array<std::uint32_t, 4 * blocks_together> rest;
  HWY_DYNAMIC_DISPATCH(fill_words)(name, blocks_together, rest.data());
  std::ranges::copy(std::span(rest).first(out.size() - 4 * whole),
                    out.begin() + static_cast<std::ptrdiff_t>(4 * whole));
}

}  // namespace souk
#endif
