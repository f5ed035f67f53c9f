// Weighted sums of rows, several at a time: every vector loaded and promoted to double serves up to eight sums, which
// stay in registers. Highway compiles this file once per instruction set.
#include "sim/params/row_mixtures.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <hwy/cache_control.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/params/row_mixtures.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which tells it the instruction set.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace souk {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::CappedTag<double, 8>;
using Floats = hn::Rebind<float, Doubles>;
using DoubleVector = hn::VFromD<Doubles>;
constexpr std::size_t lanes = hn::MaxLanes(Doubles());

/// 8 rows of 3 vectors, 3 values and a coefficient fill 28 of the 32 registers of AVX-512; 4 rows the 16 of the others.
constexpr std::size_t rows_at_a_time = lanes == 8 ? mixture_rows_max : mixture_rows_max / 2;
constexpr std::size_t vectors = 3;
constexpr std::size_t step = vectors * lanes;
static_assert(mixture_columns_unit % step == 0);

/// Where a row begins in a block: `step` columns of all rows, row after row, then the next columns.
HWY_INLINE float* placed_row(const MixedColumns& block, std::size_t i) { return block.values + i * step; }

bool place_row(const float* values, const float* next, std::size_t size, const MixedColumns& block, std::size_t i) {
  const Floats d;
  auto differences = hn::Zero(d);  // of values and themselves: 0 unless one is not finite
  float* to = placed_row(block, i);
  const auto place = [&](const float* from) HWY_ATTR {
    for (std::size_t v = 0; v < vectors; ++v) {
      const auto value = hn::LoadU(d, from + v * lanes);
      differences = hn::Add(differences, hn::Sub(value, value));
      hn::Store(value, d, to + v * lanes);
    }
    to += block.rows * step;
  };
  std::size_t c = 0;
  for (; c + step <= size; c += step) {
    hwy::Prefetch(next + c);
    place(values + c);
  }
  for (; c < block.columns; c += step) {
    std::array<float, step> last{};
    if (c < size) std::copy(values + c, values + size, last.begin());
    place(last.data());
  }
  return hn::AllTrue(d, hn::Eq(differences, hn::Zero(d)));
}

HWY_INLINE void store_rounded(DoubleVector values, float* to) {
#if HWY_TARGET == HWY_SCALAR
  *to = static_cast<float>(hn::GetLane(values));  // where DemoteTo would make infinity the largest float
#else
  const Floats d;
  hn::StoreU(hn::DemoteTo(d, values), d, to);
#endif
}

/// Columns [c, c + step) of R output rows.
template <std::size_t R>
HWY_INLINE void mix_step(const float* placed, const Mixture& mixture, std::size_t first, float* const* out) {
  const Doubles dd;
  const Floats d;
  DoubleVector sums[R][vectors];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < vectors; ++v) sums[r][v] = hn::Zero(dd);
  }
  const double* coefficients = mixture.coefficients + first;
  for (std::size_t t = 0; t < mixture.terms; ++t, coefficients += mixture.outputs) {
    const float* row = placed + mixture.from[t] * step;
    DoubleVector values[vectors];
#pragma GCC unroll 8
    for (std::size_t v = 0; v < vectors; ++v) values[v] = hn::PromoteTo(dd, hn::Load(d, row + v * lanes));
#pragma GCC unroll 8
    for (std::size_t r = 0; r < R; ++r) {
      const DoubleVector coefficient = hn::Set(dd, coefficients[r]);
#pragma GCC unroll 8
      for (std::size_t v = 0; v < vectors; ++v) sums[r][v] = hn::MulAdd(coefficient, values[v], sums[r][v]);
    }
  }
  // Adding 0 turns -0, which only products too small for a double leave, into the 0 of rows that are skipped.
#pragma GCC unroll 8
  for (std::size_t r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < vectors; ++v) store_rounded(hn::Add(sums[r][v], hn::Zero(dd)), out[r] + v * lanes);
  }
}

/// Output rows [first, first + R).
template <std::size_t R>
HWY_NOINLINE void mix_rows(const MixedColumns& block, const Mixture& mixture, std::size_t first, std::size_t size,
                           float* const* out) {
  std::array<float*, R> to;
  std::copy_n(out + first, R, to.begin());
  const float* placed = block.values;
  std::size_t c = 0;
  for (; c + step <= size; c += step, placed += block.rows * step) {
    mix_step<R>(placed, mixture, first, to.data());
    for (float*& row : to) row += step;
  }
  if (c == size) return;
  std::array<std::array<float, step>, R> last;
  std::array<float*, R> last_rows;
  for (std::size_t r = 0; r < R; ++r) last_rows[r] = last[r].data();
  mix_step<R>(placed, mixture, first, last_rows.data());
  for (std::size_t r = 0; r < R; ++r) std::copy_n(last[r].begin(), size - c, to[r]);
}

using MixRows = void (*)(const MixedColumns&, const Mixture&, std::size_t, std::size_t, float* const*);

template <std::size_t... R>
constexpr std::array<MixRows, sizeof...(R)> by_height(std::index_sequence<R...>) {
  return {mix_rows<R + 1>...};
}

void mix_columns(const MixedColumns& block, const Mixture& mixture, std::size_t size, float* const* out) {
  static constexpr auto heights = by_height(std::make_index_sequence<rows_at_a_time>());
  for (std::size_t first = 0; first < mixture.outputs; first += rows_at_a_time) {
    const std::size_t height = std::min(rows_at_a_time, mixture.outputs - first);
    heights[height - 1](block, mixture, first, size, out);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace souk
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace souk {

HWY_EXPORT(place_row);
HWY_EXPORT(mix_columns);

bool place_row(const float* values, const float* next, std::size_t size, const MixedColumns& block, std::size_t i) {
  return HWY_DYNAMIC_DISPATCH(place_row)(values, next, size, block, i);
}

void mix_columns(const MixedColumns& block, const Mixture& mixture, std::size_t size, float* const* out) {
  HWY_DYNAMIC_DISPATCH(mix_columns)(block, mixture, size, out);
}

}  // namespace souk
#endif
