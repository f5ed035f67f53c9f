#include "aggregators/two_means.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <span>

#include "sim/base/multiversion.hpp"

namespace souk {
namespace {

using Exchange = std::pair<std::size_t, std::size_t>;

/// Batcher's merge exchange: Knuth, The Art of Computer Programming 3, 5.2.2, Algorithm M.
std::vector<Exchange> sorting_network(std::size_t rows) {
  std::vector<Exchange> exchanges;
  const std::size_t top = std::bit_ceil(rows) / 2;
  for (std::size_t p = top; p > 0; p /= 2) {
    std::size_t r = 0;
    std::size_t d = p;
    for (std::size_t q = top;; q /= 2) {
      for (std::size_t i = 0; i + d < rows; ++i) {
        if ((i & p) == r) exchanges.emplace_back(i, i + d);
      }
      if (q == p) break;
      d = q - p;
      r = p;
    }
  }
  return exchanges;
}

SOUK_MULTIVERSION void sort_tile(const Exchange* exchanges, std::size_t count, float* tile) {
  for (std::size_t e = 0; e < count; ++e) {
    float* const low = tile + exchanges[e].first * tile_columns;
    float* const high = tile + exchanges[e].second * tile_columns;
    std::array<float, tile_columns> smaller, larger;  // all read before any is written: two vectors, no loop
    for (std::size_t c = 0; c < tile_columns; ++c) {
      smaller[c] = low[c] < high[c] ? low[c] : high[c];
      larger[c] = low[c] < high[c] ? high[c] : low[c];
    }
    for (std::size_t c = 0; c < tile_columns; ++c) low[c] = smaller[c];
    for (std::size_t c = 0; c < tile_columns; ++c) high[c] = larger[c];
  }
}

/// With s the sum of the k lowest of n values and t that of all, the centres differ by (n s - k t) / (k (n - k)), and
/// the dispersion within the clusters is least where (n s - k t)^2 / (k (n - k)) is largest. Values less the lowest:
/// large ones that are close together keep their digits.
SOUK_MULTIVERSION void split_sorted(const float* tile, std::size_t rows, TwoMeans& result) {
  const auto n = static_cast<double>(rows);
  std::array<double, tile_columns> total{}, sum{}, best{}, count{}, apart{};
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t c = 0; c < tile_columns; ++c) {
      total[c] += static_cast<double>(tile[i * tile_columns + c]) - static_cast<double>(tile[c]);
    }
  }
  std::array<double, tile_columns> value{}, next{};  // less the lowest
  for (std::size_t i = 0; i + 1 < rows; ++i) {
    const float* const above = tile + (i + 1) * tile_columns;
    const auto k = static_cast<double>(i + 1);
    const double scale = 1.0 / (k * (n - k));
    for (std::size_t c = 0; c < tile_columns; ++c) {
      next[c] = static_cast<double>(above[c]) - static_cast<double>(tile[c]);
      sum[c] += value[c];
      const double difference = n * sum[c] - k * total[c];
      const double gain = value[c] < next[c] ? difference * difference * scale : 0.0;
      const bool better = gain > best[c];
      best[c] = better ? gain : best[c];
      count[c] = better ? k : count[c];
      apart[c] = better ? -difference * scale : apart[c];
      value[c] = next[c];
    }
  }
  result.low_count = count;
  result.distance = apart;
}

}  // namespace

ColumnTwoMeans::ColumnTwoMeans(std::size_t rows) : rows_(rows), network_(sorting_network(rows)) {}

TwoMeans ColumnTwoMeans::split(float* tile) const {
  sort_tile(network_.data(), network_.size(), tile);
  TwoMeans result{};
  split_sorted(tile, rows_, result);
  for (std::size_t c = 0; c < tile_columns; ++c) {
    const auto count = static_cast<std::size_t>(result.low_count[c]);
    result.cut[c] = tile[(std::max<std::size_t>(count, 1) - 1) * tile_columns + c];
  }
  return result;
}

}  // namespace souk
