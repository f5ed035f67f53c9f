#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "sim/base/heartbeat.hpp"
#include "sim/base/ids.hpp"
#include "sim/params/linear.hpp"

namespace souk {

/// A part of the lower triangle of a symmetric matrix: a block of rows against another, or against itself, and then
/// the lower triangle of the block alone, diagonal included.
struct SymmetricTile {
  RowRange rows, columns;
  bool diagonal() const { return rows.begin == columns.begin; }
  std::size_t height() const { return rows.end - rows.begin; }
  /// Entries in row i, 0 being the tile's first.
  std::size_t width(std::size_t i) const { return diagonal() ? i + 1 : columns.end - columns.begin; }
  /// Entries before row i.
  std::size_t offset(std::size_t i) const {
    return diagonal() ? SymmetricMatrix::entries(i) : i * (columns.end - columns.begin);
  }
  std::size_t size() const { return offset(height()); }
};

/// Rows of a block. A tile of doubles is then as large as a slice of `sum_over_panels`, and a block of packed runs
/// stays in the second cache. A multiple of row_products_unit.
inline constexpr std::size_t tile_rows = 510;

/// Bytes that a rank needs beside the matrix to sum one over panels, for so many rows.
double tile_bytes(std::size_t rows, const PanelPlan& plan, int ranks);

/// Sums a symmetric [n, n] matrix over panels, tile by tile, so that no rank ever holds more than one tile per panel:
/// `add(panel, tile, sums)` adds one panel's part of a tile to `sums` [tile.size()], and `store(tile, sums)` gets the
/// sum over the panels in their order, the same bits for any rank count. Collective.
template <class Add, class Store>
void sum_tiles_over_panels(const Comm& comm, const ColumnMatrix& updates, Add add, Store store) {
  const std::size_t n = updates.rows();
  const std::span<const Panel> panels = updates.panels();
  std::vector<double> partials, sums;
  const auto sum = [&](const SymmetricTile& tile) {
    const std::size_t size = tile.size();
    if (comm.size() > 1) {
      partials.assign(panels.size() * size, 0.0);
      for (std::size_t p = 0; p < panels.size(); ++p) add(panels[p], tile, std::span(partials).subspan(p * size, size));
      sums = sum_over_panels(comm, updates.plan(), partials, size);
      return;
    }
    sums.assign(size, 0.0);  // the panels as they come: one tile is enough
    for (const Panel& panel : panels) {
      partials.assign(size, 0.0);
      add(panel, tile, std::span(partials));
      for (std::size_t v = 0; v < size; ++v) sums[v] += partials[v];
    }
  };
  for (std::size_t row = 0; row < n; row += tile_rows) {
    for (std::size_t column = 0; column <= row; column += tile_rows) {
      const SymmetricTile tile{{row, std::min(n, row + tile_rows)}, {column, std::min(n, column + tile_rows)}};
      heartbeat::beat();
      sum(tile);
      store(tile, std::span<const double>(sums));
    }
  }
}

/// The same, into a matrix.
template <class Add>
SymmetricMatrix symmetric_sum_over_panels(const Comm& comm, const ColumnMatrix& updates, Add add) {
  SymmetricMatrix matrix = SymmetricMatrix::zeros(updates.rows());
  sum_tiles_over_panels(comm, updates, add, [&](const SymmetricTile& tile, std::span<const double> sums) {
    for (std::size_t i = 0; i < tile.height(); ++i) {
      std::ranges::copy(sums.subspan(tile.offset(i), tile.width(i)),
                        matrix.row(tile.rows.begin + i).subspan(tile.columns.begin).begin());
    }
  });
  return matrix;
}

}  // namespace souk
