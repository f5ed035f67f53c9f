#include "aggregators/stats/imputer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "aggregators/stats/bayesian_ridge.hpp"
#include "sim/stats/order_statistics.hpp"

namespace souk {
namespace {

constexpr int rounds_max = 10;
constexpr double imputer_tolerance = 1e-3;

/// A column with missing values and some known ones.
struct Gaps {
  std::size_t column;
  std::vector<std::size_t> known;  ///< rows
  std::vector<std::size_t> missing;
};

Gaps gaps_of(const DenseMatrix& matrix, std::size_t column) {
  Gaps gaps{column, {}, {}};
  for (std::size_t i = 0; i < matrix.rows; ++i) {
    (std::isnan(matrix(i, column)) ? gaps.missing : gaps.known).push_back(i);
  }
  return gaps;
}

/// The columns to predict, fewest missing values first.
std::vector<Gaps> columns_with_gaps(const DenseMatrix& matrix) {
  std::vector<Gaps> columns;
  for (std::size_t j = 0; j < matrix.columns; ++j) {
    Gaps gaps = gaps_of(matrix, j);
    if (!gaps.known.empty() && !gaps.missing.empty()) columns.push_back(std::move(gaps));
  }
  std::stable_sort(columns.begin(), columns.end(),
                   [](const Gaps& a, const Gaps& b) { return a.missing.size() < b.missing.size(); });
  return columns;
}

/// These rows without the column.
DenseMatrix others(const DenseMatrix& matrix, std::span<const std::size_t> rows, std::size_t column) {
  DenseMatrix result(rows.size(), matrix.columns - 1);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::span<const double> row = matrix.row(rows[i]);
    const auto gap = row.begin() + static_cast<std::ptrdiff_t>(column);
    std::copy(gap + 1, row.end(), std::copy(row.begin(), gap, result.row(i).begin()));
  }
  return result;
}

void predict(DenseMatrix& filled, const Gaps& gaps) {
  std::vector<double> y;
  for (const std::size_t i : gaps.known) y.push_back(filled(i, gaps.column));
  const LinearFit fit = bayesian_ridge(others(filled, gaps.known, gaps.column), y);
  const DenseMatrix x = others(filled, gaps.missing, gaps.column);
  for (std::size_t i = 0; i < gaps.missing.size(); ++i) {
    const std::span<const double> row = x.row(i);
    filled(gaps.missing[i], gaps.column) =
        fit.intercept + std::inner_product(row.begin(), row.end(), fit.coefficients.begin(), 0.0);
  }
}

double largest_row_change(const DenseMatrix& before, const DenseMatrix& after) {
  double largest = 0.0;
  for (std::size_t i = 0; i < before.rows; ++i) {
    double sum = 0.0;
    for (std::size_t j = 0; j < before.columns; ++j) sum += std::abs(after(i, j) - before(i, j));
    largest = std::max(largest, sum);
  }
  return largest;
}

double largest_known(const DenseMatrix& matrix) {
  double largest = 0.0;
  for (const double value : matrix.values) {
    if (!std::isnan(value)) largest = std::max(largest, std::abs(value));
  }
  return largest;
}

}  // namespace

DenseMatrix impute_by_column(DenseMatrix matrix, ColumnFill fill, double empty) {
  for (std::size_t j = 0; j < matrix.columns; ++j) {
    const Gaps gaps = gaps_of(matrix, j);
    std::vector<double> known;
    for (const std::size_t i : gaps.known) known.push_back(matrix(i, j));
    double value = empty;
    if (!known.empty()) {
      value = fill == ColumnFill::median
                  ? median(known)
                  : std::accumulate(known.begin(), known.end(), 0.0) / static_cast<double>(known.size());
    }
    for (const std::size_t i : gaps.missing) matrix(i, j) = value;
  }
  return matrix;
}

DenseMatrix impute_iteratively(const DenseMatrix& matrix, ColumnFill fill, double empty) {
  const std::vector<Gaps> columns = columns_with_gaps(matrix);
  const double negligible = imputer_tolerance * largest_known(matrix);
  DenseMatrix filled = impute_by_column(matrix, fill, empty);
  if (matrix.columns < 2) return filled;
  for (int round = 0; round < rounds_max; ++round) {
    const DenseMatrix before = filled;
    for (const Gaps& gaps : columns) predict(filled, gaps);
    if (largest_row_change(before, filled) < negligible || columns.empty()) break;
  }
  return filled;
}

}  // namespace souk
