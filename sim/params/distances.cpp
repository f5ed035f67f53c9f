#include <algorithm>
#include <cmath>
#include <numeric>

#include <hwy/aligned_allocator.h>

#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/params/linear.hpp"
#include "sim/params/row_products.hpp"

namespace souk {
namespace {

// A row of a run is scaled by a power of two where its largest magnitude is outside: products neither overflow float
// nor vanish.
constexpr float magnitude_min = 0x1p-40F;
constexpr float magnitude_max = 0x1p50F;

/// Of a sum of two squares: a squared distance below this share of it has lost too many digits to cancellation.
constexpr double cancelled_share = 1.0 / 128.0;

/// Multiplies the rows of a panel among themselves, run by run.
class PanelProducts {
 public:
  explicit PanelProducts(std::size_t rows)
      : rows_(rows),
        packed_(hwy::AllocateAligned<float>(packed_values(rows, run_columns_max))),
        exponents_(rows),
        products_(rows * rows) {
    std::fill_n(packed_.get(), packed_values(rows, run_columns_max), 0.0F);
  }

  /// Adds the lower triangle of P P^T to `sums`, [n (n + 1) / 2], P the panel's rows less row `shift`'s (if any).
  void add(const Panel& panel, const std::size_t* shift, std::span<double> sums) {
    const std::size_t width = panel.columns.size();
    const std::size_t runs = (width + run_columns_max - 1) / run_columns_max;
    const std::size_t even = (width + runs - 1) / runs;
    const std::size_t columns = (even + run_columns_unit - 1) / run_columns_unit * run_columns_unit;
    for (std::size_t begin = 0; begin < width; begin += columns) {
      heartbeat::beat();
      const PackedRun run{packed_.get(), rows_, columns};
      for (std::size_t i = 0; i < rows_; ++i) pack(panel, i, shift, {begin, std::min(width, begin + columns)}, run);
      const std::size_t upcoming = begin + 2 * columns <= width ? begin + columns : begin;
      row_products(run, products_.data(), {panel.row_starts.data(), panel.offset + upcoming});
      add_products(sums);
    }
  }

 private:
  void pack(const Panel& panel, std::size_t i, const std::size_t* shift, ColumnRange columns, const PackedRun& run) {
    const std::size_t next = std::min(i + 1, rows_ - 1);
    const float largest = pack_row({.values = panel.row(i).data() + columns.begin,
                                    .less = shift == nullptr ? nullptr : panel.row(*shift).data() + columns.begin,
                                    .next = panel.row(next).data() + columns.begin,
                                    .size = columns.size()},
                                   run, i);
    const bool harmless = largest == 0.0F || (largest >= magnitude_min && largest <= magnitude_max);
    exponents_[i] = harmless || !std::isfinite(largest) ? 0 : std::ilogb(largest);
    if (exponents_[i] == 0) return;
    // In two steps: 2^-exponent itself may be no float.
    const int half = -exponents_[i] / 2;
    scale_row(run, i, std::ldexp(1.0F, half));
    scale_row(run, i, std::ldexp(1.0F, -exponents_[i] - half));
  }

  void add_products(std::span<double> sums) {
    const bool scaled = std::any_of(exponents_.begin(), exponents_.end(), [](int exponent) { return exponent != 0; });
    for (std::size_t i = 0; i < rows_; ++i) {
      double* to = sums.data() + i * (i + 1) / 2;
      const float* products = products_.data() + i * rows_;
      if (!scaled) {
        for (std::size_t j = 0; j <= i; ++j) to[j] += static_cast<double>(products[j]);
      } else {
        for (std::size_t j = 0; j <= i; ++j) {
          to[j] += std::ldexp(static_cast<double>(products[j]), exponents_[i] + exponents_[j]);
        }
      }
    }
  }

  std::size_t rows_;
  hwy::AlignedFreeUniquePtr<float[]> packed_;
  std::vector<int> exponents_;   ///< [rows] powers of two taken out of the run
  std::vector<float> products_;  ///< [rows, rows], lower triangle
};

/// Products of all pairs of rows, less row `shift`'s if there is one.
SymmetricMatrix products(const Comm& comm, const ColumnMatrix& updates, const std::size_t* shift) {
  const std::size_t n = updates.rows();
  if (n == 0) return {};
  const std::size_t entries = n * (n + 1) / 2;
  const std::span<const Panel> panels = updates.panels();
  PanelProducts panel_products(n);
  if (comm.size() == 1) {
    // The sum over panels as they come: of 500 rows, all panels' entries together take 64 MB.
    std::vector<double> sums(entries, 0.0);
    std::vector<double> panel_sums(entries);
    for (const Panel& panel : panels) {
      std::fill(panel_sums.begin(), panel_sums.end(), 0.0);
      panel_products.add(panel, shift, panel_sums);
      for (std::size_t v = 0; v < entries; ++v) sums[v] += panel_sums[v];
    }
    return {n, std::move(sums)};
  }
  std::vector<double> partials(panels.size() * entries, 0.0);
  for (std::size_t p = 0; p < panels.size(); ++p) {
    panel_products.add(panels[p], shift, std::span(partials).subspan(p * entries, entries));
  }
  return {n, sum_over_panels(comm, updates.plan(), partials, entries)};
}

double& entry(SymmetricMatrix& matrix, std::size_t i, std::size_t j) {
  return matrix.lower[std::max(i, j) * (std::max(i, j) + 1) / 2 + std::min(i, j)];
}

/// Connected components, of two rows or more, of the pairs whose distance is lost in the products; rows ascend.
std::vector<std::vector<std::size_t>> cancelled(const SymmetricMatrix& products, const SymmetricMatrix& distances) {
  const std::size_t n = products.order;
  std::vector<std::size_t> component(n);
  std::iota(component.begin(), component.end(), std::size_t{0});
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double squares = products(i, i) + products(j, j);
      if (component[i] == component[j] || !(distances(i, j) < cancelled_share * squares)) continue;
      const auto [low, high] = std::minmax(component[i], component[j]);
      std::replace(component.begin(), component.end(), std::size_t{high}, std::size_t{low});
    }
  }
  std::vector<std::vector<std::size_t>> members(n);
  for (std::size_t i = 0; i < n; ++i) members[component[i]].push_back(i);
  std::erase_if(members, [](const auto& rows) { return rows.size() < 2; });
  return members;
}

/// The row with the smallest sum of distances to the others: no outlier.
std::size_t most_central(const SymmetricMatrix& distances, std::span<const std::size_t> rows) {
  const auto total = [&](std::size_t i) {
    double sum = 0.0;
    for (const std::size_t j : rows) sum += distances(i, j);
    return sum;
  };
  return static_cast<std::size_t>(
      std::min_element(rows.begin(), rows.end(), [&](auto a, auto b) { return total(a) < total(b); }) - rows.begin());
}

/// Distances between rows, from their products after row `shift` (if any) is subtracted. The row subtracted has no
/// product left and joins no component, so that each call works on fewer rows.
SymmetricMatrix distances_by_products(const Comm& comm, const ColumnMatrix& updates, const std::size_t* shift) {
  const SymmetricMatrix by_products = products(comm, updates, shift);
  const std::size_t n = updates.rows();
  SymmetricMatrix distances{n, {}};
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      distances.lower.push_back(std::max(0.0, by_products(i, i) + by_products(j, j) - 2.0 * by_products(i, j)));
    }
    distances.lower.push_back(0.0);
  }
  for (const auto& rows : cancelled(by_products, distances)) {
    const std::size_t center = most_central(distances, rows);
    const SymmetricMatrix closer = distances_by_products(comm, updates.select(comm, rows), &center);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) entry(distances, rows[i], rows[j]) = closer(i, j);
    }
  }
  return distances;
}

}  // namespace

SymmetricMatrix gram(const Comm& comm, const ColumnMatrix& updates) { return products(comm, updates, nullptr); }

SymmetricMatrix squared_distances(const Comm& comm, const ColumnMatrix& updates) {
  return distances_by_products(comm, updates, nullptr);
}

}  // namespace souk
