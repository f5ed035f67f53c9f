#include "sim/params/columnwise.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "sim/base/contract.hpp"
#include "sim/base/multiversion.hpp"

namespace souk {
namespace {

/// Puts the smaller value of every column into `low`, the larger into `high`.
SOUK_MULTIVERSION void compare_exchange(float* __restrict low, float* __restrict high) {
  for (std::size_t c = 0; c < tile_columns; ++c) {
    const float a = low[c];
    const float b = high[c];
    low[c] = b < a ? b : a;
    high[c] = b < a ? a : b;
  }
}

float nan_as_infinity(float value) { return std::isnan(value) ? std::numeric_limits<float>::infinity() : value; }

}  // namespace

std::vector<std::pair<std::uint32_t, std::uint32_t>> sorting_network(std::size_t n) {
  // Knuth, The Art of Computer Programming 3, 5.2.2, Algorithm M, for any n.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
  std::size_t top = 1;
  while (top < n) top *= 2;
  for (std::size_t p = top / 2; p > 0; p /= 2) {
    std::size_t q = top / 2;
    std::size_t r = 0;
    std::size_t d = p;
    for (;;) {
      for (std::size_t i = 0; i + d < n; ++i) {
        if ((i & p) == r) pairs.emplace_back(i, i + d);
      }
      if (q == p) break;
      d = q - p;
      q /= 2;
      r = p;
    }
  }
  return pairs;
}

void for_each_sorted_tile(const ColumnMatrix& updates,
                          const std::function<void(ColumnRange, std::span<const float>)>& use) {
  const std::size_t n = updates.rows();
  const auto network = sorting_network(n);
  std::vector<float> tile(n * tile_columns, 0.0F);
  const std::size_t columns = updates.local_columns().size();
  for (std::size_t begin = 0; begin < columns; begin += tile_columns) {
    const std::size_t width = std::min(tile_columns, columns - begin);
    for (std::size_t i = 0; i < n; ++i) {
      std::transform(updates.row(i).data() + begin, updates.row(i).data() + begin + width, &tile[i * tile_columns],
                     nan_as_infinity);
    }
    for (const auto& [low, high] : network) compare_exchange(&tile[low * tile_columns], &tile[high * tile_columns]);
    use({begin, begin + width}, tile);
  }
}

ColumnVector median_of_columns(const ColumnMatrix& updates) {
  SOUK_EXPECT(updates.rows() > 0);
  ColumnVector out(updates);
  const std::size_t low = (updates.rows() - 1) / 2;
  const std::size_t high = updates.rows() / 2;
  for_each_sorted_tile(updates, [&](ColumnRange columns, std::span<const float> sorted) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const double middle = 0.5 * (static_cast<double>(sorted[low * tile_columns + c]) +
                                   static_cast<double>(sorted[high * tile_columns + c]));
      out.values()[columns.begin + c] = static_cast<float>(middle);
    }
  });
  return out;
}

ColumnVector trimmed_mean_of_columns(const ColumnMatrix& updates, std::size_t trim) {
  const std::size_t n = updates.rows();
  SOUK_EXPECT(2 * trim < n);
  ColumnVector out(updates);
  for_each_sorted_tile(updates, [&](ColumnRange columns, std::span<const float> sorted) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      double sum = 0.0;
      for (std::size_t i = trim; i < n - trim; ++i) sum += static_cast<double>(sorted[i * tile_columns + c]);
      out.values()[columns.begin + c] = static_cast<float>(sum / static_cast<double>(n - 2 * trim));
    }
  });
  return out;
}

ColumnVector mean_near(const ColumnMatrix& updates, const ColumnVector& center, std::size_t keep) {
  const std::size_t n = updates.rows();
  SOUK_EXPECT(1 <= keep && keep <= n);
  ColumnVector out(updates);
  std::vector<std::size_t> order(n);
  std::vector<float> distances(n);
  for (std::size_t c = 0; c < out.values().size(); ++c) {
    for (std::size_t i = 0; i < n; ++i) {
      distances[i] = nan_as_infinity(std::abs(updates.row(i)[c] - center.values()[c]));
    }
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return distances[a] < distances[b]; });
    std::sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(keep));
    double sum = 0.0;
    for (std::size_t k = 0; k < keep; ++k) sum += static_cast<double>(nan_as_infinity(updates.row(order[k])[c]));
    out.values()[c] = static_cast<float>(sum / static_cast<double>(keep));
  }
  return out;
}

}  // namespace souk
