// Highway compiles this file once per instruction set.
#include "sim/params/row_sums.hpp"

#include <algorithm>
#include <array>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/params/row_sums.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which tells it the instruction set.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace souk {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t running_sums = 16;
using Doubles = hn::CappedTag<double, running_sums>;
using DoubleVector = hn::VFromD<Doubles>;
constexpr std::size_t lanes = hn::MaxLanes(Doubles());

HWY_INLINE DoubleVector load(const float* values) {
  return hn::PromoteTo(Doubles(), hn::LoadU(hn::Rebind<float, Doubles>(), values));
}

/// Sixteen sums, to which a term is added per step of sixteen columns.
class Sums {
 public:
  HWY_INLINE Sums() {
#pragma GCC unroll 16
    for (DoubleVector& sum : sums_) sum = hn::Zero(Doubles());
  }
  HWY_INLINE void add(std::size_t k, DoubleVector term) { sums_[k] = hn::Add(sums_[k], term); }
  HWY_INLINE double total() const {
    HWY_ALIGN std::array<double, running_sums> all;
    for (std::size_t k = 0; k < running_sums / lanes; ++k) hn::Store(sums_[k], Doubles(), &all[k * lanes]);
    for (std::size_t half = running_sums / 2; half > 0; half /= 2) {
      for (std::size_t i = 0; i < half; ++i) all[i] += all[i + half];
    }
    return all[0];
  }

 private:
  DoubleVector sums_[running_sums / lanes];
};

/// Calls `step(k, a, b)` for vector k of every sixteen columns; zeros stand in for columns beyond the last.
template <class Step>
HWY_INLINE void for_each_vector(const float* a, const float* b, std::size_t size, Step step) {
  std::size_t i = 0;
  for (; i + running_sums <= size; i += running_sums) {
#pragma GCC unroll 16
    for (std::size_t k = 0; k < running_sums / lanes; ++k) step(k, load(a + i + k * lanes), load(b + i + k * lanes));
  }
  std::array<float, running_sums> last_a{}, last_b{};
  std::copy(a + i, a + size, last_a.begin());
  std::copy(b + i, b + size, last_b.begin());
#pragma GCC unroll 16
  for (std::size_t k = 0; k < running_sums / lanes; ++k) step(k, load(&last_a[k * lanes]), load(&last_b[k * lanes]));
}

// No product is fused with its sum: where fused multiply-add is missing the bits would differ.

double dot(const float* a, const float* b, std::size_t size) {
  Sums sums;
  for_each_vector(a, b, size,
                  [&](std::size_t k, DoubleVector x, DoubleVector y) HWY_ATTR { sums.add(k, hn::Mul(x, y)); });
  return sums.total();
}

DotAndNorm dot_and_norm(const float* a, const float* b, std::size_t size) {
  Sums dots, squares;
  for_each_vector(a, b, size, [&](std::size_t k, DoubleVector x, DoubleVector y) HWY_ATTR {
    dots.add(k, hn::Mul(x, y));
    squares.add(k, hn::Mul(x, x));
  });
  return {dots.total(), squares.total()};
}

double squared_distance(const float* a, const float* b, std::size_t size) {
  Sums sums;
  for_each_vector(a, b, size, [&](std::size_t k, DoubleVector x, DoubleVector y) HWY_ATTR {
    const DoubleVector difference = hn::Sub(x, y);
    sums.add(k, hn::Mul(difference, difference));
  });
  return sums.total();
}

}  // namespace HWY_NAMESPACE
}  // namespace souk
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace souk {

HWY_EXPORT(dot);
HWY_EXPORT(dot_and_norm);
HWY_EXPORT(squared_distance);

double dot(const float* a, const float* b, std::size_t size) { return HWY_DYNAMIC_DISPATCH(dot)(a, b, size); }

DotAndNorm dot_and_norm(const float* a, const float* b, std::size_t size) {
  return HWY_DYNAMIC_DISPATCH(dot_and_norm)(a, b, size);
}

double squared_distance(const float* a, const float* b, std::size_t size) {
  return HWY_DYNAMIC_DISPATCH(squared_distance)(a, b, size);
}

}  // namespace souk
#endif
