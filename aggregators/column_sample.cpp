#include "aggregators/column_sample.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include "sim/base/heartbeat.hpp"
#include "sim/params/symmetric_tiles.hpp"

namespace souk {

std::vector<std::size_t> draw_columns(std::size_t d, std::size_t count, Stream& random) {
  if (count >= d) {
    std::vector<std::size_t> all(d);
    std::iota(all.begin(), all.end(), std::size_t{0});
    return all;
  }
  // Floyd's algorithm (Bentley, Communications of the ACM 30(9), 1987).
  std::set<std::size_t> drawn;
  for (std::size_t last = d - count; last < d; ++last) {
    const std::size_t column = random.below(static_cast<std::uint32_t>(last + 1));
    drawn.insert(drawn.contains(column) ? last : column);
  }
  return {drawn.begin(), drawn.end()};
}

double drawn_columns_bytes(std::size_t d, double count) {
  constexpr double node = 48.0;  // of the set that is drawn from
  const auto all = static_cast<double>(d);
  return count < all ? count * (node + sizeof(std::size_t)) : all * sizeof(std::size_t);
}

namespace {

/// The columns of one panel that were drawn, and the means of their values over all rows.
struct DrawnColumns {
  std::span<const std::size_t> columns;
  std::vector<double> means;
};

double value_in_panel(const Panel& panel, std::size_t row, std::size_t column) {
  return static_cast<double>(panel.row(row)[column - panel.columns.begin]);
}

DrawnColumns drawn_columns(const Panel& panel, std::size_t n, const std::vector<std::size_t>& drawn) {
  const auto begin = std::lower_bound(drawn.begin(), drawn.end(), panel.columns.begin);
  const auto end = std::lower_bound(begin, drawn.end(), panel.columns.end);
  DrawnColumns own{{begin, end}, {}};
  for (const std::size_t column : own.columns) {
    double mean = 0.0;
    for (std::size_t i = 0; i < n; ++i) mean += value_in_panel(panel, i, column) / static_cast<double>(n);
    own.means.push_back(mean);
  }
  return own;
}

/// Adds the products of one column's centred values to a tile; `left` are those of its rows, `right` of its columns.
void add_column(const SymmetricTile& tile, std::span<const double> left, std::span<const double> right, double* entry) {
  for (std::size_t i = 0; i < left.size(); ++i) {
    const std::size_t width = tile.width(i);
    for (std::size_t j = 0; j < width; ++j) *entry++ += left[i] * right[j];
  }
}

}  // namespace

SymmetricMatrix centred_gram_of(const Comm& comm, const ColumnMatrix& updates,
                                const std::vector<std::size_t>& columns) {
  std::vector<DrawnColumns> drawn;  // of this rank's panels
  for (const Panel& panel : updates.panels()) {
    heartbeat::beat();
    drawn.push_back(drawn_columns(panel, updates.rows(), columns));
  }
  std::vector<double> left, right;
  return symmetric_sum_over_panels(
      comm, updates, [&](const Panel& panel, const SymmetricTile& tile, std::span<double> sums) {
        const DrawnColumns& own = drawn[panel.index - updates.panels().front().index];
        const auto centred = [&](RowRange rows, std::size_t c, std::vector<double>& values) {
          values.clear();
          for (std::size_t i = rows.begin; i < rows.end; ++i) {
            values.push_back(value_in_panel(panel, i, own.columns[c]) - own.means[c]);
          }
        };
        for (std::size_t c = 0; c < own.columns.size(); ++c) {
          heartbeat::beat();
          centred(tile.rows, c, left);
          centred(tile.columns, c, right);
          add_column(tile, left, right, sums.data());
        }
      });
}

}  // namespace souk
