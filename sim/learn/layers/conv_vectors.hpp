#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

/// What the kernels of convolutions compute with: 16 floats, in one register or in two. GCC takes vectors that are
/// wider than the registers of the target apart in memory, float by float, so that targets must be given what they
/// have.
namespace souk::kernels {

/// 16 floats in one register.
using Vector [[gnu::vector_size(64)]] = float;

/// 16 floats in two.
using Half [[gnu::vector_size(32)]] = float;
struct Halves {
  Half low, high;
};

// By reference: passing or returning a vector would depend on the target.
template <class V, class T>
[[gnu::always_inline]] inline void load(const T* from, V& to) {
  std::memcpy(&to, from, sizeof to);
}
template <class V, class T>
[[gnu::always_inline]] inline void store(const V& from, T* to) {
  std::memcpy(to, &from, sizeof from);
}
[[gnu::always_inline]] inline void add(const Vector& values, Vector& sum) { sum += values; }
[[gnu::always_inline]] inline void multiply_add(float factor, const Vector& values, Vector& sum) {
  sum += factor * values;
}

[[gnu::always_inline]] inline void load(const float* from, Halves& to) {
  std::memcpy(&to.low, from, sizeof to.low);
  std::memcpy(&to.high, from + 8, sizeof to.high);
}
[[gnu::always_inline]] inline void store(const Halves& from, float* to) {
  std::memcpy(to, &from.low, sizeof from.low);
  std::memcpy(to + 8, &from.high, sizeof from.high);
}
[[gnu::always_inline]] inline void add(const Halves& values, Halves& sum) {
  sum.low += values.low;
  sum.high += values.high;
}
[[gnu::always_inline]] inline void multiply_add(float factor, const Halves& values, Halves& sum) {
  sum.low += factor * values.low;
  sum.high += factor * values.high;
}

/// Floats of a register, and integers and bytes beside them.
struct WideLanes {
  static constexpr std::size_t count = 16;
  using Values [[gnu::vector_size(64)]] = float;
  using Integers [[gnu::vector_size(64)]] = std::int32_t;
  using Bytes [[gnu::vector_size(16)]] = std::uint8_t;
  [[gnu::always_inline]] static void widen(const Bytes& from, Integers& to) {
    to = __builtin_convertvector(from, Integers);
  }
  [[gnu::always_inline]] static void narrow(const Integers& from, Bytes& to) {
    to = __builtin_convertvector(from, Bytes);
  }
};

/// Of a register half as wide.
struct NarrowLanes {
  static constexpr std::size_t count = 8;
  using Values [[gnu::vector_size(32)]] = float;
  using Integers [[gnu::vector_size(32)]] = std::int32_t;
  using Bytes [[gnu::vector_size(8)]] = std::uint8_t;
  [[gnu::always_inline]] static void widen(const Bytes& from, Integers& to) {
    to = __builtin_convertvector(from, Integers);
  }
  [[gnu::always_inline]] static void narrow(const Integers& from, Bytes& to) {
    to = __builtin_convertvector(from, Bytes);
  }
};

}  // namespace souk::kernels
