#include <algorithm>
#include <cmath>
#include <numeric>

#include <hwy/aligned_allocator.h>

#include "sim/base/contract.hpp"
#include "sim/params/linear.hpp"
#include "sim/params/row_products.hpp"

namespace souk {
namespace {

constexpr std::size_t block_bytes = std::size_t{1} << 19;  // half a second-level cache
constexpr std::size_t block_runs_max = 8;

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
        runs_(std::clamp(block_bytes / (rows * run_columns * sizeof(float)), std::size_t{1}, block_runs_max)),
        packed_(hwy::AllocateAligned<float>(runs_ * packed_values(rows))),
        exponents_(runs_ * rows),
        products_(rows * rows) {}

  /// Adds the lower triangle of P P^T to `sums`, [n (n + 1) / 2], P the panel's rows less row `shift`'s (if any).
  void add(const Panel& panel, const std::size_t* shift, std::span<double> sums) {
    const std::size_t block_columns = runs_ * run_columns;
    for (std::size_t begin = 0; begin < panel.columns.size(); begin += block_columns) {
      const std::size_t end = std::min(panel.columns.size(), begin + block_columns);
      for (std::size_t i = 0; i < rows_; ++i) pack(panel, i, shift, {begin, end});
      for (std::size_t run = 0; begin + run * run_columns < end; ++run) {
        row_products(packed_.get() + run * packed_values(rows_), rows_, products_.data());
        add_products(run, sums);
      }
    }
  }

 private:
  /// Row i of a block: a long piece of it, because memory delivers long pieces fast.
  void pack(const Panel& panel, std::size_t i, const std::size_t* shift, ColumnRange block) {
    const float* from = panel.row(i).data();
    const float* less = shift == nullptr ? nullptr : panel.row(*shift).data();
    std::size_t run = 0;
    for (std::size_t c = block.begin; c < block.end; c += run_columns, ++run) {
      float* packed = packed_.get() + run * packed_values(rows_);
      const float* less_here = less == nullptr ? nullptr : less + c;
      const float largest = pack_row(from + c, less_here, std::min(run_columns, block.end - c), packed, i);
      const bool harmless = largest == 0.0F || (largest >= magnitude_min && largest <= magnitude_max);
      const int exponent = harmless || std::isinf(largest) ? 0 : std::ilogb(largest);
      exponents_[run * rows_ + i] = exponent;
      if (exponent == 0) continue;
      // In two steps: 2^-exponent itself may be no float.
      scale_row(packed, i, std::ldexp(1.0F, -exponent / 2));
      scale_row(packed, i, std::ldexp(1.0F, -exponent - -exponent / 2));
    }
  }

  void add_products(std::size_t run, std::span<double> sums) {
    const int* exponents = exponents_.data() + run * rows_;
    const bool scaled = std::any_of(exponents, exponents + rows_, [](int exponent) { return exponent != 0; });
    double* to = sums.data();
    for (std::size_t i = 0; i < rows_; ++i) {
      const float* products = products_.data() + i * rows_;
      if (scaled) {
        for (std::size_t j = 0; j <= i; ++j)
          *to++ += std::ldexp(static_cast<double>(products[j]), exponents[i] + exponents[j]);
      } else {
        for (std::size_t j = 0; j <= i; ++j) *to++ += static_cast<double>(products[j]);
      }
    }
  }

  std::size_t rows_, runs_;
  hwy::AlignedFreeUniquePtr<float[]> packed_;  ///< [runs], see row_products.hpp
  std::vector<int> exponents_;                 ///< [runs, rows] of the power of two taken out
  std::vector<float> products_;                ///< [rows, rows], lower triangle
};

/// Products of all pairs of rows, less row `shift`'s if there is one.
SymmetricMatrix products(const Comm& comm, const ColumnMatrix& updates, const std::size_t* shift) {
  const std::size_t n = updates.rows();
  const std::size_t entries = n * (n + 1) / 2;
  std::vector<double> partials(updates.panels().size() * entries, 0.0);
  if (n > 0) {
    PanelProducts panel_products(n);
    for (std::size_t p = 0; p < updates.panels().size(); ++p) {
      panel_products.add(updates.panels()[p], shift, std::span(partials).subspan(p * entries, entries));
    }
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
