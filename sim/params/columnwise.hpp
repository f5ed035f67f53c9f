#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "sim/params/update_matrix.hpp"

namespace souk {

/// Columns sorted at a time: one tile of n rows stays in the first-level cache for n up to about 100.
inline constexpr std::size_t tile_columns = 64;

/// Compare-exchange pairs (low, high), low < high, that sort n values: Batcher's odd-even merge sort, O(n log^2 n).
std::vector<std::pair<std::uint32_t, std::uint32_t>> sorting_network(std::size_t n);

/// Calls `use(columns, sorted)` for tiles of this rank's columns: `sorted` is [n, tile_columns], every column
/// ascending; the first columns.size() columns are valid. Values must not be NaN. No communication.
void for_each_sorted_tile(const ColumnMatrix& updates,
                          const std::function<void(ColumnRange columns, std::span<const float> sorted)>& use);

// A NaN counts as +infinity in everything below.

/// Median of every coordinate; the mean of the two middle values for even n. No communication.
ColumnVector median_of_columns(const ColumnMatrix& updates);

/// Mean of every coordinate without its `trim` smallest and `trim` largest values; 2 trim < n. No communication.
ColumnVector trimmed_mean_of_columns(const ColumnMatrix& updates, std::size_t trim);

/// Mean of the `keep` values of every coordinate nearest to `center`, ties to the smaller row; 1 <= keep <= n. The
/// distance is |x - c| rounded to float. No communication.
ColumnVector mean_near(const ColumnMatrix& updates, const ColumnVector& center, std::size_t keep);

}  // namespace souk
