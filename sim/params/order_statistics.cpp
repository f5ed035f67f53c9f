// The k-th smallest value of each of 16 columns at once, a column per lane, without branches on the values. Up to
// sorted_rows rows: runs of 16 rows are sorted in registers and merged in the first cache into two sorted lists a and
// b; the k-th of both is the smallest over i of max(a[i - 1], b[k - i]). More rows: bisection on the bits of the
// floats. Highway compiles this file once per instruction set.
#include "sim/params/order_statistics.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include <hwy/cache_control.h>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/params/order_statistics.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which tells it the instruction set.
#include <hwy/highway.h>

#ifndef SOUK_ORDER_STATISTICS_ONCE
#define SOUK_ORDER_STATISTICS_ONCE
namespace souk {
namespace {

constexpr std::size_t run_rows = 16;      // sorted in registers
constexpr std::size_t sorted_rows = 512;  // beyond, bisection is faster
constexpr float infinity = std::numeric_limits<float>::infinity();

using Exchange = std::pair<std::size_t, std::size_t>;  // the smaller value goes to `first`

/// Batcher's odd-even merge sort of 16 values: Knuth, The Art of Computer Programming 3, 5.2.2, Algorithm M.
struct OddEvenSort {
  static constexpr auto exchanges = [] {
    std::array<Exchange, 63> pairs{};
    std::size_t used = 0;
    for (std::size_t p = run_rows / 2; p > 0; p /= 2) {
      std::size_t r = 0;
      std::size_t d = p;
      for (std::size_t q = run_rows / 2;; q /= 2) {
        for (std::size_t i = 0; i + d < run_rows; ++i) {
          if ((i & p) == r) pairs[used++] = {i, i + d};
        }
        if (q == p) break;
        d = q - p;
        r = p;
      }
    }
    return pairs;
  }();
};

/// Sorts 16 values that rise and then fall, or fall and then rise (Batcher's bitonic merge).
struct BitonicMerge {
  static constexpr auto exchanges = [] {
    std::array<Exchange, 32> pairs{};
    std::size_t used = 0;
    for (std::size_t d = run_rows / 2; d > 0; d /= 2) {
      for (std::size_t i = 0; i < run_rows; ++i) {
        if ((i & d) == 0) pairs[used++] = {i, i + d};
      }
    }
    return pairs;
  }();
};

/// How the rows are split into two lists, each padded to a power of two of at least 16 rows.
struct Lists {
  std::size_t first, second;
  explicit Lists(std::size_t rows)
      : first(rows <= run_rows ? run_rows : std::bit_ceil(rows) / 2),
        second(rows <= first ? 0 : std::max(run_rows, std::bit_ceil(rows - first))) {}
};

}  // namespace
}  // namespace souk
#endif

HWY_BEFORE_NAMESPACE();
namespace souk {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, line_columns>;
using Ints = hn::RebindToSigned<Floats>;
using Doubles = hn::CappedTag<double, line_columns / 2>;
using HalfFloats = hn::Rebind<float, Doubles>;
using FloatVector = hn::VFromD<Floats>;
using IntVector = hn::VFromD<Ints>;
using DoubleVector = hn::VFromD<Doubles>;

constexpr std::size_t lanes = hn::MaxLanes(Floats());
constexpr std::size_t double_lanes = hn::MaxLanes(Doubles());  // a vector of floats is promoted in such pieces

/// Rows from `live` on are +infinity already, which no exchange moves.
template <class Network, std::size_t live, std::size_t... E>
HWY_INLINE void exchange(FloatVector (&v)[run_rows], std::index_sequence<E...>) {
  const auto one = [&v](auto low, auto high) HWY_ATTR {
    if constexpr (high < live) {
      const FloatVector smaller = hn::Min(v[low], v[high]);
      v[high] = hn::Max(v[low], v[high]);
      v[low] = smaller;
    }
  };
  (one(std::integral_constant<std::size_t, Network::exchanges[E].first>(),
       std::integral_constant<std::size_t, Network::exchanges[E].second>()),
   ...);
}

template <class Network, std::size_t live>
HWY_INLINE void exchange(FloatVector (&v)[run_rows]) {
  exchange<Network, live>(v, std::make_index_sequence<Network::exchanges.size()>());
}

/// Merges two ascending lists of `half` rows each, one behind the other.
HWY_INLINE void merge(float* list, std::size_t half) {
  const Floats d;
  const auto exchange_rows = [&](float* low, float* high) HWY_ATTR {
    const FloatVector a = hn::Load(d, low);
    const FloatVector b = hn::Load(d, high);
    hn::Store(hn::Min(a, b), d, low);
    hn::Store(hn::Max(a, b), d, high);
  };
  for (std::size_t i = 0; i < half; ++i) exchange_rows(list + i * lanes, list + (2 * half - 1 - i) * lanes);
  for (std::size_t distance = half / 2; distance >= run_rows; distance /= 2) {
    for (std::size_t i = 0; i < 2 * half; ++i) {
      if ((i & distance) == 0) exchange_rows(list + i * lanes, list + (i + distance) * lanes);
    }
  }
  for (std::size_t run = 0; run < 2 * half; run += run_rows) {
    FloatVector v[run_rows];
    for (std::size_t i = 0; i < run_rows; ++i) v[i] = hn::Load(d, list + (run + i) * lanes);
    exchange<BitonicMerge, run_rows>(v);
    for (std::size_t i = 0; i < run_rows; ++i) hn::Store(v[i], d, list + (run + i) * lanes);
  }
}

/// Sorts the first `live` or fewer of 16 rows, value(first) … value(rows - 1), into `list`; the others are +infinity.
template <std::size_t live, class Value>
HWY_INLINE void sort_run(Value value, std::size_t first, std::size_t rows, float* list) {
  const Floats d;
  FloatVector v[run_rows];
  for (std::size_t i = 0; i < run_rows; ++i) {
    v[i] = i < live && first + i < rows ? value(first + i) : hn::Set(d, infinity);
  }
  exchange<OddEvenSort, live>(v);
  for (std::size_t i = 0; i < run_rows; ++i) hn::Store(v[i], d, list + i * lanes);
}

/// Sorts `padded` rows from `first` on into `list`; rows from `rows` on count as +infinity.
template <class Value>
HWY_INLINE void sort_list(Value value, std::size_t first, std::size_t rows, std::size_t padded, float* list) {
  for (std::size_t run = 0; run < padded; run += run_rows) {
    const std::size_t begin = first + run;
    float* to = list + run * lanes;
    if (begin + run_rows <= rows) {
      sort_run<run_rows>(value, begin, begin + run_rows, to);
    } else if (begin + 12 < rows) {
      sort_run<run_rows>(value, begin, rows, to);
    } else if (begin + 8 < rows) {
      sort_run<12>(value, begin, rows, to);
    } else {
      sort_run<8>(value, begin, rows, to);
    }
  }
  for (std::size_t half = run_rows; half < padded; half *= 2) {
    for (std::size_t run = 0; run < padded; run += 2 * half) merge(list + run * lanes, half);
  }
}

/// Value k (from 0) of two ascending lists together.
HWY_INLINE FloatVector select(const float* a, const float* b, const Lists& sizes, std::size_t k) {
  const Floats d;
  const std::size_t taken = k + 1;
  if (taken > sizes.first + sizes.second) return hn::Set(d, infinity);
  FloatVector best = hn::Set(d, infinity);
  std::size_t from_a = taken > sizes.second ? taken - sizes.second : 0;
  if (from_a == 0) best = hn::Load(d, b + k * lanes), from_a = 1;
  for (; from_a < std::min(taken, sizes.first + 1); ++from_a) {
    const FloatVector last_of_a = hn::Load(d, a + (from_a - 1) * lanes);
    best = hn::Min(best, hn::Max(last_of_a, hn::Load(d, b + (taken - from_a - 1) * lanes)));
  }
  if (taken <= sizes.first) best = hn::Min(best, hn::Load(d, a + k * lanes));
  return best;
}

/// Signed integers in the order of the floats, and back; -0 comes before +0.
HWY_INLINE IntVector key_of(FloatVector value) {
  const IntVector bits = hn::BitCast(Ints(), value);
  return hn::Xor(bits, hn::And(hn::ShiftRight<31>(bits), hn::Set(Ints(), 0x7FFFFFFF)));
}
HWY_INLINE FloatVector value_of(IntVector key) {
  return hn::BitCast(Floats(), hn::Xor(key, hn::And(hn::ShiftRight<31>(key), hn::Set(Ints(), 0x7FFFFFFF))));
}

/// Value k (from 0) of the keys in every lane. The answer is kept in [low, high] until that holds one row or one value.
HWY_INLINE FloatVector bisect(const std::int32_t* keys, std::size_t rows, std::size_t k) {
  const Ints d;
  const IntVector wanted = hn::Set(d, static_cast<std::int32_t>(k));
  IntVector low = hn::Load(d, keys);
  IntVector high = low;
  for (std::size_t i = 1; i < rows; ++i) {
    const IntVector key = hn::Load(d, keys + i * lanes);
    low = hn::Min(low, key);
    high = hn::Max(high, key);
  }
  IntVector below = hn::Zero(d);                                   // rows < low
  IntVector within = hn::Set(d, static_cast<std::int32_t>(rows));  // rows <= high
  for (;;) {
    const auto settled = hn::Or(hn::Eq(low, high), hn::Eq(hn::Sub(within, below), hn::Set(d, 1)));
    if (hn::AllTrue(d, settled)) break;
    // The mean of both without overflow, rounded down.
    const IntVector middle = hn::Add(hn::And(low, high), hn::ShiftRight<1>(hn::Xor(low, high)));
    IntVector count = hn::Set(d, static_cast<std::int32_t>(rows));  // rows <= middle
    for (std::size_t i = 0; i < rows; ++i) {
      count = hn::Add(count, hn::VecFromMask(d, hn::Gt(hn::Load(d, keys + i * lanes), middle)));
    }
    const auto lower_half = hn::Gt(count, wanted);
    high = hn::IfThenElse(lower_half, middle, high);
    within = hn::IfThenElse(lower_half, count, within);
    low = hn::IfThenElse(lower_half, low, hn::Add(middle, hn::Set(d, 1)));
    below = hn::IfThenElse(lower_half, below, count);
  }
  IntVector answer = hn::Set(d, std::numeric_limits<std::int32_t>::min());
  for (std::size_t i = 0; i < rows; ++i) {
    const IntVector key = hn::Load(d, keys + i * lanes);
    answer = hn::IfThenElse(hn::Gt(key, high), answer, hn::Max(answer, key));
  }
  return value_of(answer);
}

struct TwoVectors {
  FloatVector low, high;
};

/// Values `low` <= `high` (from 0) of value(0) … value(rows - 1), in every lane.
template <class Value>
HWY_INLINE TwoVectors order_statistics(Value value, std::size_t rows, std::size_t low, std::size_t high,
                                       float* scratch) {
  if (rows > sorted_rows) {
    auto* keys = reinterpret_cast<std::int32_t*>(scratch);
    for (std::size_t i = 0; i < rows; ++i) hn::Store(key_of(value(i)), Ints(), keys + i * lanes);
    const FloatVector smaller = bisect(keys, rows, low);
    return {smaller, low == high ? smaller : bisect(keys, rows, high)};
  }
  const Lists sizes(rows);
  float* second = scratch + sizes.first * lanes;
  sort_list(value, 0, rows, sizes.first, scratch);
  if (sizes.second > 0) sort_list(value, sizes.first, rows, sizes.second, second);
  const FloatVector smaller = select(scratch, second, sizes, low);
  return {smaller, low == high ? smaller : select(scratch, second, sizes, high)};
}

/// One row of a few columns of a block. Each row read fetches its columns of the next block: memory works while values
/// are sorted.
struct RowValues {
  const float* values;
  std::size_t stride;
  const float* const* upcoming;
  std::size_t offset;
  HWY_INLINE RowValues(const ColumnBlock& block, std::size_t column)
      : values(block.values + column), stride(block.stride), upcoming(block.upcoming), offset(block.offset + column) {}
  HWY_INLINE FloatVector operator()(std::size_t row) const {
    hwy::Prefetch(upcoming[row] + offset);
    return hn::Load(Floats(), values + row * stride);
  }
};

/// |x - center|, rounded to float; +infinity where that is no number.
struct Distances {
  RowValues rows;
  FloatVector center;
  HWY_INLINE FloatVector operator()(std::size_t row) const {
    const FloatVector distance = hn::Abs(hn::Sub(rows(row), center));
    return hn::IfThenElse(hn::IsNaN(distance), hn::Set(Floats(), infinity), distance);
  }
};

HWY_INLINE void store_rounded(DoubleVector values, float* to) {
#if HWY_TARGET == HWY_SCALAR
  *to = static_cast<float>(hn::GetLane(values));  // where DemoteTo would make infinity the largest float
#else
  const HalfFloats d;
  hn::StoreU(hn::DemoteTo(d, values), d, to);
#endif
}

void copy_without_nan(const float* from, std::size_t size, float* to) {
  const Floats d;
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    const FloatVector value = hn::LoadU(d, from + i);
    hn::StoreU(hn::IfThenElse(hn::IsNaN(value), hn::Set(d, infinity), value), d, to + i);
  }
  for (; i < size; ++i) to[i] = std::isnan(from[i]) ? infinity : from[i];
}

void median(const ColumnBlock& block, float* scratch, float* out) {
  const Doubles dd;
  const HalfFloats dh;
  for (std::size_t c = 0; c < block.columns; c += lanes) {
    const RowValues value(block, c);
    const TwoVectors middle = order_statistics(value, block.rows, (block.rows - 1) / 2, block.rows / 2, scratch);
    HWY_ALIGN float low[lanes], high[lanes];
    hn::Store(middle.low, Floats(), low);
    hn::Store(middle.high, Floats(), high);
    for (std::size_t k = 0; k < lanes; k += double_lanes) {
      const DoubleVector sum =
          hn::Add(hn::PromoteTo(dd, hn::Load(dh, low + k)), hn::PromoteTo(dd, hn::Load(dh, high + k)));
      store_rounded(hn::Mul(sum, hn::Set(dd, 0.5)), out + c + k);
    }
  }
}

/// One run of rows is left sorted in `scratch`, and those kept are added. Of more rows all are added, those trimmed as
/// the smallest or largest value kept, which are then taken off: what is trimmed never enters the sum, however large.
void trimmed_mean(const ColumnBlock& block, std::size_t trim, float* scratch, float* out) {
  const Doubles dd;
  const HalfFloats dh;
  const std::size_t kept = block.rows - 2 * trim;
  const bool sorted = block.rows <= run_rows;
  const std::size_t stride = sorted ? lanes : block.stride;
  const std::size_t summed = sorted ? kept : block.rows;
  const DoubleVector replaced = hn::Set(dd, sorted ? 0.0 : static_cast<double>(trim));
  for (std::size_t c = 0; c < block.columns; c += lanes) {
    const RowValues value(block, c);
    const TwoVectors bounds = order_statistics(value, block.rows, trim, block.rows - trim - 1, scratch);
    const float* const rows = sorted ? scratch + trim * lanes : block.values + c;
    HWY_ALIGN float low[lanes], high[lanes];
    hn::Store(bounds.low, Floats(), low);
    hn::Store(bounds.high, Floats(), high);
    for (std::size_t k = 0; k < lanes; k += double_lanes) {
      const auto smallest = hn::Load(dh, low + k);
      const auto largest = hn::Load(dh, high + k);
      DoubleVector sum = hn::Zero(dd);
      for (std::size_t i = 0; i < summed; ++i) {
        const auto x = hn::Load(dh, rows + k + i * stride);
        sum = hn::Add(sum, hn::PromoteTo(dd, hn::Min(hn::Max(x, smallest), largest)));
      }
      const DoubleVector ends = hn::Add(hn::PromoteTo(dd, smallest), hn::PromoteTo(dd, largest));
      const auto finite = hn::Eq(hn::Sub(ends, ends), hn::Zero(dd));  // if not, the sum is right as it is
      sum = hn::Sub(sum, hn::IfThenElseZero(finite, hn::Mul(ends, replaced)));
      store_rounded(hn::Div(sum, hn::Set(dd, static_cast<double>(kept))), out + c + k);
    }
  }
}

/// One column: the rows nearer than `limit`, and of those at `limit` the first, until `keep` are taken.
float mean_with_ties(const float* values, std::size_t stride, std::size_t rows, float center, float limit,
                     std::size_t keep) {
  const auto distance = [&](std::size_t i) {
    const float difference = std::abs(values[i * stride] - center);
    return std::isnan(difference) ? infinity : difference;
  };
  std::size_t ties = keep;
  for (std::size_t i = 0; i < rows; ++i) ties -= distance(i) < limit;
  double sum = 0.0;
  for (std::size_t i = 0; i < rows; ++i) {
    const bool tie = distance(i) == limit && ties > 0;
    ties -= tie;
    if (tie || distance(i) < limit) sum += static_cast<double>(values[i * stride]);
  }
  return static_cast<float>(sum / static_cast<double>(keep));
}

void mean_near(const ColumnBlock& block, const float* center, std::size_t keep, float* scratch, float* out) {
  const Doubles dd;
  const HalfFloats dh;
  const hn::RebindToSigned<HalfFloats> di;
  for (std::size_t c = 0; c < block.columns; c += lanes) {
    const RowValues value(block, c);
    const Distances distances{value, hn::Load(Floats(), center + c)};
    HWY_ALIGN float limit[lanes];
    hn::Store(order_statistics(distances, block.rows, keep - 1, keep - 1, scratch).low, Floats(), limit);
    for (std::size_t k = 0; k < lanes; k += double_lanes) {
      const auto largest = hn::Load(dh, limit + k);
      const auto middle = hn::Load(dh, center + c + k);
      DoubleVector sum = hn::Zero(dd);
      auto taken = hn::Zero(di);
      for (std::size_t i = 0; i < block.rows; ++i) {
        const auto x = hn::Load(dh, value.values + k + i * block.stride);
        const auto near = hn::Le(hn::Abs(hn::Sub(x, middle)), largest);
        sum = hn::Add(sum, hn::PromoteTo(dd, hn::IfThenElseZero(near, x)));
        taken = hn::Sub(taken, hn::BitCast(di, hn::VecFromMask(dh, near)));
      }
      store_rounded(hn::Div(sum, hn::Set(dd, static_cast<double>(keep))), out + c + k);
      HWY_ALIGN std::int32_t counts[double_lanes];
      hn::Store(taken, di, counts);
      for (std::size_t lane = 0; lane < double_lanes; ++lane) {
        const std::size_t column = c + k + lane;
        if (static_cast<std::size_t>(counts[lane]) == keep) continue;
        out[column] =
            mean_with_ties(block.values + column, block.stride, block.rows, center[column], limit[k + lane], keep);
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace souk
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace souk {

HWY_EXPORT(copy_without_nan);
HWY_EXPORT(median);
HWY_EXPORT(trimmed_mean);
HWY_EXPORT(mean_near);

std::size_t order_scratch(std::size_t rows) {
  const Lists sizes(rows);
  return line_columns * (rows > sorted_rows ? rows : sizes.first + sizes.second);
}

void copy_without_nan(std::span<const float> from, float* to) {
  HWY_DYNAMIC_DISPATCH(copy_without_nan)(from.data(), from.size(), to);
}

void block_median(const ColumnBlock& block, float* scratch, float* out) {
  HWY_DYNAMIC_DISPATCH(median)(block, scratch, out);
}

void block_trimmed_mean(const ColumnBlock& block, std::size_t trim, float* scratch, float* out) {
  HWY_DYNAMIC_DISPATCH(trimmed_mean)(block, trim, scratch, out);
}

void block_mean_near(const ColumnBlock& block, const float* center, std::size_t keep, float* scratch, float* out) {
  HWY_DYNAMIC_DISPATCH(mean_near)(block, center, keep, scratch, out);
}

}  // namespace souk
#endif
