#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace souk {

/// A small [rows, columns] matrix of doubles, row by row: points to cluster, factors, covariances.
struct DenseMatrix {
  DenseMatrix() = default;
  DenseMatrix(std::size_t row_count, std::size_t column_count)
      : rows(row_count), columns(column_count), values(row_count * column_count) {}

  double& operator()(std::size_t i, std::size_t j) { return values[i * columns + j]; }
  double operator()(std::size_t i, std::size_t j) const { return values[i * columns + j]; }
  std::span<double> row(std::size_t i) { return {values.data() + i * columns, columns}; }
  std::span<const double> row(std::size_t i) const { return {values.data() + i * columns, columns}; }

  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<double> values;
};

}  // namespace souk
