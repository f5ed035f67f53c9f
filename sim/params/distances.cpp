#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <hwy/aligned_allocator.h>

#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/params/linear.hpp"
#include "sim/params/row_products.hpp"
#include "sim/params/symmetric_tiles.hpp"

namespace souk {
namespace {

// A row of a run is scaled by a power of two where its largest magnitude is outside: products neither overflow float
// nor vanish.
constexpr float magnitude_min = 0x1p-40F;
constexpr float magnitude_max = 0x1p50F;

/// Of a sum of two squares: a squared distance below this share of it has lost too many digits to cancellation.
constexpr double cancelled_share = 1.0 / 128.0;

/// Multiplies rows of a panel with each other, run by run, a tile of pairs at a time.
class PanelProducts {
 public:
  explicit PanelProducts(std::size_t rows)
      : packed_rows_(std::min(rows, 2 * tile_rows)),
        packed_(hwy::AllocateAligned<float>(packed_values(packed_rows_, run_columns_max))),
        exponents_(packed_rows_),
        products_(std::min(rows, tile_rows) * std::min(rows, tile_rows)) {
    std::fill_n(packed_.get(), packed_values(packed_rows_, run_columns_max), 0.0F);
  }

  /// Adds a tile of P P^T to `sums`, P the panel's rows less row `shift`'s (if any).
  void add(const Panel& panel, const SymmetricTile& tile, const std::size_t* shift, std::span<double> sums) {
    rows_.clear();
    if (!tile.diagonal()) append(tile.columns);
    first_ = rows_.size();
    append(tile.rows);
    starts_.clear();
    for (const std::size_t row : rows_) starts_.push_back(panel.row_starts[row]);
    const std::size_t width = panel.columns.size();
    const std::size_t runs = (width + run_columns_max - 1) / run_columns_max;
    const std::size_t even = (width + runs - 1) / runs;
    const std::size_t columns = (even + run_columns_unit - 1) / run_columns_unit * run_columns_unit;
    for (std::size_t begin = 0; begin < width; begin += columns) {
      heartbeat::beat();
      const PackedRun run{packed_.get(), rows_.size(), columns};
      for (std::size_t k = 0; k < rows_.size(); ++k) {
        pack(panel, k, shift, {begin, std::min(width, begin + columns)}, run);
      }
      const std::size_t upcoming = begin + 2 * columns <= width ? begin + columns : begin;
      row_products(run, first_, products_.data(), {starts_.data(), panel.offset + upcoming});
      add_products(tile, sums);
    }
  }

 private:
  void append(RowRange rows) {
    for (std::size_t row = rows.begin; row < rows.end; ++row) rows_.push_back(row);
  }

  void pack(const Panel& panel, std::size_t k, const std::size_t* shift, ColumnRange columns, const PackedRun& run) {
    const std::size_t next = std::min(k + 1, rows_.size() - 1);
    const float largest = pack_row({.values = panel.row(rows_[k]).data() + columns.begin,
                                    .less = shift == nullptr ? nullptr : panel.row(*shift).data() + columns.begin,
                                    .next = panel.row(rows_[next]).data() + columns.begin,
                                    .size = columns.size()},
                                   run, k);
    const bool harmless = largest == 0.0F || (largest >= magnitude_min && largest <= magnitude_max);
    exponents_[k] = harmless || !std::isfinite(largest) ? 0 : std::ilogb(largest);
    if (exponents_[k] == 0) return;
    // In two steps: 2^-exponent itself may be no float.
    const int half = -exponents_[k] / 2;
    scale_row(run, k, std::ldexp(1.0F, half));
    scale_row(run, k, std::ldexp(1.0F, -exponents_[k] - half));
  }

  void add_products(const SymmetricTile& tile, std::span<double> sums) {
    const auto is_scaled = [](int exponent) { return exponent != 0; };
    const bool scaled =
        std::any_of(exponents_.begin(), exponents_.begin() + static_cast<std::ptrdiff_t>(rows_.size()), is_scaled);
    const std::size_t stride = tile.diagonal() ? tile.height() : first_;
    for (std::size_t i = 0; i < tile.height(); ++i) {
      double* to = sums.data() + tile.offset(i);
      const float* products = products_.data() + i * stride;
      const std::size_t width = tile.width(i);
      if (!scaled) {
        for (std::size_t j = 0; j < width; ++j) to[j] += static_cast<double>(products[j]);
      } else {
        for (std::size_t j = 0; j < width; ++j) {
          to[j] += std::ldexp(static_cast<double>(products[j]), exponents_[first_ + i] + exponents_[j]);
        }
      }
    }
  }

  std::size_t packed_rows_;
  hwy::AlignedFreeUniquePtr<float[]> packed_;
  std::vector<int> exponents_;        ///< [packed rows] powers of two taken out of the run
  std::vector<float> products_;       ///< [tile], of one range with itself its lower triangle
  std::vector<std::size_t> rows_;     ///< packed: those of the tile's columns, then those of its rows
  std::size_t first_ = 0;             ///< where the latter begin
  std::vector<const float*> starts_;  ///< [rows_] in the panel at hand
};

/// Some rows of the updates, and where their pairs stand in a matrix of all rows.
struct Selected {
  const ColumnMatrix& updates;        ///< of these rows
  std::span<const std::size_t> rows;  ///< ascending; their places in the matrix
  SymmetricMatrix& matrix;
  double* row(std::size_t i) const { return matrix.row(rows[i]).data(); }
  double& operator()(std::size_t i, std::size_t j) const { return row(i)[rows[j]]; }  ///< contract: i >= j
};

/// Puts the products of all pairs of the rows, less row `shift`'s if there is one, in their places.
void put_products(const Comm& comm, const Selected& selected, const std::size_t* shift) {
  if (selected.rows.empty()) return;
  PanelProducts products(selected.rows.size());
  sum_tiles_over_panels(
      comm, selected.updates,
      [&](const Panel& panel, const SymmetricTile& tile, std::span<double> sums) {
        products.add(panel, tile, shift, sums);
      },
      [&](const SymmetricTile& tile, std::span<const double> sums) {
        for (std::size_t i = 0; i < tile.height(); ++i) {
          for (std::size_t j = 0; j < tile.width(i); ++j) {
            selected(tile.rows.begin + i, tile.columns.begin + j) = sums[tile.offset(i) + j];
          }
        }
      });
}

/// Connected components, of two rows or more, of the pairs whose distance is lost in the products; rows ascend.
/// `squares` [rows] are the products of the rows with themselves.
std::vector<std::vector<std::size_t>> cancelled(const Selected& distances, std::span<const double> squares) {
  const std::size_t n = squares.size();
  std::vector<std::size_t> component(n);
  std::iota(component.begin(), component.end(), std::size_t{0});
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double sum = squares[i] + squares[j];
      if (component[i] == component[j] || !(distances(i, j) < cancelled_share * sum)) continue;
      const auto [low, high] = std::minmax(component[i], component[j]);
      std::replace(component.begin(), component.end(), std::size_t{high}, std::size_t{low});
    }
  }
  std::vector<std::vector<std::size_t>> members(n);
  for (std::size_t i = 0; i < n; ++i) members[component[i]].push_back(i);
  std::erase_if(members, [](const auto& rows) { return rows.size() < 2; });
  return members;
}

/// Which of these rows of a matrix of distances has the smallest sum of distances to the others: no outlier.
std::size_t most_central_row(const SymmetricMatrix& distances, std::span<const std::size_t> rows) {
  std::vector<double> totals;
  for (const std::size_t i : rows) {
    totals.push_back(0.0);
    for (const std::size_t j : rows) totals.back() += distances(i, j);
  }
  return static_cast<std::size_t>(std::ranges::min_element(totals) - totals.begin());
}

/// Puts the distances between the rows in their places, from their products after row `shift` (if any) is subtracted.
/// The row subtracted has no product left and joins no component, so that each call works on fewer rows.
void put_distances(const Comm& comm, const Selected& selected, const std::size_t* shift) {
  put_products(comm, selected, shift);
  const std::size_t n = selected.rows.size();
  std::vector<double> squares(n);
  for (std::size_t i = 0; i < n; ++i) squares[i] = std::exchange(selected(i, i), 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      double& entry = selected(i, j);
      entry = std::max(0.0, squares[i] + squares[j] - 2.0 * entry);
    }
  }
  for (const std::vector<std::size_t>& members : cancelled(selected, squares)) {
    std::vector<std::size_t> places;
    for (const std::size_t row : members) places.push_back(selected.rows[row]);
    const std::size_t center = most_central_row(selected.matrix, places);
    const ColumnMatrix updates = selected.updates.select(comm, members);
    put_distances(comm, {updates, places, selected.matrix}, &center);
  }
}

/// Lets `put` fill a matrix of all rows.
template <class Put>
SymmetricMatrix filled(const Comm& comm, const ColumnMatrix& updates, Put put) {
  const std::size_t n = updates.rows();
  SymmetricMatrix matrix = SymmetricMatrix::zeros(n);
  std::vector<std::size_t> all(n);
  std::iota(all.begin(), all.end(), std::size_t{0});
  put(comm, Selected{updates, all, matrix}, nullptr);
  return matrix;
}

}  // namespace

SymmetricMatrix gram(const Comm& comm, const ColumnMatrix& updates) { return filled(comm, updates, put_products); }

SymmetricMatrix squared_distances(const Comm& comm, const ColumnMatrix& updates) {
  return filled(comm, updates, put_distances);
}

}  // namespace souk
