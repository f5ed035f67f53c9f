// Dot products of rows, a small group of rows against another: every vector loaded serves a whole group, and the sums
// stay in registers. Rows are contiguous along the columns, so nothing is transposed. Highway compiles this file once
// per instruction set.
#include "sim/params/row_products.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <hwy/cache_control.h>

#include "sim/base/contract.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/params/row_products.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which tells it the instruction set.
#include <hwy/highway.h>

#ifndef SOUK_ROW_PRODUCTS_ONCE
#define SOUK_ROW_PRODUCTS_ONCE
namespace souk {
namespace {
constexpr std::size_t group_max = 5;
}
}  // namespace souk
#endif

HWY_BEFORE_NAMESPACE();
namespace souk {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, 16>;
using FloatVector = hn::VFromD<Floats>;
constexpr std::size_t lanes = hn::MaxLanes(Floats());

/// Rows in a group: 25 sums, 5 + 1 rows fill the 32 registers of AVX-512; 9 sums, 3 + 1 rows the 16 of the others.
constexpr std::size_t group = lanes == 16 ? group_max : 3;
/// Rows that stay in the second cache while all groups before them pass.
constexpr std::size_t block_rows = 12 * group;
static_assert(row_products_unit % group == 0);

/// Where a row begins in a packed run: groups of rows one behind the other, in each a vector of the first row, of the
/// second, …, then the next columns: a group is read from front to back.
HWY_INLINE float* packed_row(const PackedRun& run, std::size_t i) {
  return run.values + i / group * group * run.columns + i % group * lanes;
}
constexpr std::size_t step = group * lanes;  // from one vector of a row to the next

float pack_row(const RowPiece& row, const PackedRun& run, std::size_t i) {
  const Floats d;
  FloatVector largest = hn::Zero(d);
  float* to = packed_row(run, i);
  const auto pack = [&](const float* values, const float* less) HWY_ATTR {
    FloatVector value = hn::LoadU(d, values);
    if (less != nullptr) value = hn::Sub(value, hn::LoadU(d, less));
    largest = hn::Max(largest, hn::Abs(value));
    hn::Store(value, d, to);
    to += step;
  };
  std::size_t c = 0;
  for (; c + lanes <= row.size; c += lanes) {
    hwy::Prefetch(row.next + c);
    pack(row.values + c, row.less == nullptr ? nullptr : row.less + c);
  }
  if (c < row.size) {
    HWY_ALIGN std::array<float, lanes> last{}, last_less{};
    std::copy(row.values + c, row.values + row.size, last.begin());
    if (row.less != nullptr) std::copy(row.less + c, row.less + row.size, last_less.begin());
    pack(last.data(), last_less.data());
    c += lanes;
  }
  for (; c < run.columns; c += lanes, to += step) hn::Store(hn::Zero(d), d, to);
  HWY_ALIGN std::array<float, lanes> magnitudes;
  hn::Store(largest, d, magnitudes.data());
  return *std::max_element(magnitudes.begin(), magnitudes.end());
}

void scale_row(const PackedRun& run, std::size_t i, float factor) {
  const Floats d;
  float* values = packed_row(run, i);
  for (std::size_t c = 0; c < run.columns; c += lanes, values += step) {
    hn::Store(hn::Mul(hn::Load(d, values), hn::Set(d, factor)), d, values);
  }
}

/// The sum of each of four vectors.
HWY_INLINE void sums_of_four(const FloatVector* v, float* out) {
#if HWY_TARGET == HWY_SCALAR
  for (std::size_t k = 0; k < 4; ++k) out[k] = hn::GetLane(v[k]);
#else
  const Floats d;
  const hn::RepartitionToWide<Floats> pairs;
  const auto ab = hn::Add(hn::InterleaveLower(d, v[0], v[1]), hn::InterleaveUpper(d, v[0], v[1]));
  const auto cd = hn::Add(hn::InterleaveLower(d, v[2], v[3]), hn::InterleaveUpper(d, v[2], v[3]));
  const auto lower = hn::InterleaveLower(pairs, hn::BitCast(pairs, ab), hn::BitCast(pairs, cd));
  const auto upper = hn::InterleaveUpper(pairs, hn::BitCast(pairs, ab), hn::BitCast(pairs, cd));
  HWY_ALIGN float quarters[lanes];  // a, b, c, d of each 128 bits
  hn::Store(hn::Add(hn::BitCast(d, lower), hn::BitCast(d, upper)), d, quarters);
  const hn::FixedTag<float, 4> four;
  auto sum = hn::Load(four, quarters);
  for (std::size_t k = 4; k < lanes; k += 4) sum = hn::Add(sum, hn::Load(four, quarters + k));
  hn::Store(sum, four, out);
#endif
}

/// Two groups of packed rows, and a row to fetch meanwhile.
struct Groups {
  const float* left;
  const float* right;
  const float* upcoming;
  std::size_t columns;
};

/// Products of R rows with C rows, entries of [n, n]; `diagonal`: of R rows among themselves, the lower triangle.
template <std::size_t R, std::size_t C, bool diagonal>
HWY_NOINLINE void tile(const Groups& groups, float* products, std::size_t n) {
  const Floats d;
  FloatVector sums[R][C];
#pragma GCC unroll 8
  for (std::size_t i = 0; i < R; ++i) {
#pragma GCC unroll 8
    for (std::size_t j = 0; j < C; ++j) sums[i][j] = hn::Zero(d);
  }
  const float* left = groups.left;
  const float* right = groups.right;
  for (std::size_t c = 0; c < groups.columns; c += lanes, left += step, right += step) {
    hwy::Prefetch(groups.upcoming + c);
    FloatVector other[C];
#pragma GCC unroll 8
    for (std::size_t j = 0; j < C; ++j) other[j] = hn::Load(d, right + j * lanes);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < R; ++i) {
      const FloatVector value = diagonal ? other[i] : hn::Load(d, left + i * lanes);
#pragma GCC unroll 8
      for (std::size_t j = 0; j < C; ++j) {
        if (!diagonal || j <= i) sums[i][j] = hn::MulAdd(value, other[j], sums[i][j]);
      }
    }
  }
  constexpr std::size_t padded = (R * C + 3) / 4 * 4;
  FloatVector flat[padded];
  HWY_ALIGN float out[padded];
#pragma GCC unroll 32
  for (std::size_t k = 0; k < padded; ++k) flat[k] = k < R * C ? sums[k / C % R][k % C] : hn::Zero(d);
#pragma GCC unroll 8
  for (std::size_t k = 0; k < padded; k += 4) sums_of_four(flat + k, out + k);
  for (std::size_t i = 0; i < R; ++i) {
    for (std::size_t j = 0; j < (diagonal ? i + 1 : C); ++j) products[i * n + j] = out[i * C + j];
  }
}

using Tile = void (*)(const Groups&, float*, std::size_t);

/// Tiles with fewer rows on the left, for the last group.
template <std::size_t... R>
constexpr std::array<Tile, sizeof...(R)> full_tiles(std::index_sequence<R...>) {
  return {tile<R + 1, group, false>...};
}
template <std::size_t... R>
constexpr std::array<Tile, sizeof...(R)> diagonal_tiles(std::index_sequence<R...>) {
  return {tile<R + 1, R + 1, true>...};
}

void row_products(const PackedRun& run, std::size_t first, float* products, const Upcoming& upcoming) {
  const std::size_t n = run.rows;
  const std::size_t stride = first == 0 ? n : first;
  std::size_t fetched = 0;  // one row per tile
  static constexpr auto full = full_tiles(std::make_index_sequence<group>());
  static constexpr auto diagonal = diagonal_tiles(std::make_index_sequence<group>());
  for (std::size_t block = first; block < n; block += block_rows) {
    const std::size_t block_end = std::min(n, block + block_rows);
    const std::size_t right_end = first == 0 ? block_end : first;
    for (std::size_t right = 0; right < right_end; right += group) {
      for (std::size_t left = std::max(block, right); left < block_end; left += group) {
        const std::size_t height = std::min(group, n - left);
        const Tile compute = left == right ? diagonal[height - 1] : full[height - 1];
        compute({.left = run.values + left * run.columns,
                 .right = run.values + right * run.columns,
                 .upcoming = upcoming.rows[fetched] + upcoming.offset,
                 .columns = run.columns},
                products + (left - first) * stride + right, stride);
        fetched = std::min(fetched + 1, n - 1);
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace souk
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace souk {

HWY_EXPORT(pack_row);
HWY_EXPORT(scale_row);
HWY_EXPORT(row_products);

std::size_t packed_values(std::size_t rows, std::size_t columns) { return (rows + group_max - 1) * columns; }

float pack_row(const RowPiece& row, const PackedRun& run, std::size_t i) {
  return HWY_DYNAMIC_DISPATCH(pack_row)(row, run, i);
}

void scale_row(const PackedRun& run, std::size_t i, float factor) { HWY_DYNAMIC_DISPATCH(scale_row)(run, i, factor); }

void row_products(const PackedRun& run, std::size_t first, float* products, const Upcoming& upcoming) {
  SOUK_EXPECT(first % row_products_unit == 0);
  HWY_DYNAMIC_DISPATCH(row_products)(run, first, products, upcoming);
}

}  // namespace souk
#endif
