#include "sim/params/columnwise.hpp"

#include <algorithm>

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
    for (std::size_t i = 0; i < n; ++i) std::copy_n(updates.row(i).data() + begin, width, &tile[i * tile_columns]);
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

}  // namespace souk
