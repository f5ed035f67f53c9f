#pragma once

#include <array>
#include <cstddef>
#include <utility>
#include <vector>

namespace souk {

/// Columns split at a time: value (row, column) of a tile is values[row * tile_columns + column].
inline constexpr std::size_t tile_columns = 16;

/// The best partition of every column of a tile into two clusters.
struct TwoMeans {
  std::array<float, tile_columns> cut;         ///< largest value of the lower cluster
  std::array<double, tile_columns> low_count;  ///< size of the lower cluster; 0 where all values are equal
  std::array<double, tile_columns> distance;   ///< of the two centres; 0 where all values are equal
};

/// Exact 2-means of columns, 16 at a time: sorts, then tries every cut by prefix sums. Of equally good partitions the
/// one whose higher cluster is larger. About n log2(n)^2 / 4 compare-exchanges and n sums per column.
class ColumnTwoMeans {
 public:
  explicit ColumnTwoMeans(std::size_t rows);
  /// Sorts the tile, [rows, tile_columns]; finite values.
  TwoMeans split(float* tile) const;

 private:
  std::size_t rows_;
  std::vector<std::pair<std::size_t, std::size_t>> network_;  ///< compare-exchanges, the smaller value goes to `first`
};

}  // namespace souk
