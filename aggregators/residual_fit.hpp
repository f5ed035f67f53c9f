#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <hwy/aligned_allocator.h>

namespace souk {

/// Columns fitted at a time: value (row, column) of a block is values[row * fit_columns + column]; blocks are aligned.
inline constexpr std::size_t fit_columns = 64;

/// Robust lines through the sorted values of columns against their ranks 0 … n - 1, by repeated medians (Siegel,
/// Biometrika 1982), and the weights that iteratively reweighted least squares gives to the values (Fu et al., 2019).
/// n >= 3. n^2 slopes and n medians of n - 1 slopes per column.
class ResidualFit {
 public:
  ResidualFit(std::size_t rows, double lambda);

  /// Where the caller writes the columns to fit, [rows, fit_columns]; no NaN.
  std::span<float> values() { return {values_.get(), rows_ * fit_columns}; }
  void fit();

  /// Of the last fit: of value (row, column), ties of equal values to the smaller row.
  double weight(std::size_t row, std::size_t column) const { return weights_[at_rank(row, column)]; }
  double on_line(std::size_t row, std::size_t column) const { return lines_[at_rank(row, column)]; }
  /// Standard deviation of a column's weights.
  double deviation(std::size_t column) const;

 private:
  using Floats = hwy::AlignedFreeUniquePtr<float[]>;

  std::size_t at_rank(std::size_t row, std::size_t column) const {
    return static_cast<std::size_t>(ranks_[row * fit_columns + column]) * fit_columns + column;
  }
  void median(const float* block, std::size_t rows, float* out);
  void sort();
  void fit_slopes();
  void drop_smallest();
  void weigh();

  std::size_t rows_;
  std::vector<double> bounds_;  ///< [rows] by rank: standardised residuals beyond are down-weighted
  Floats values_, sorted_, slopes_, medians_, slope_, middle_, spread_, scratch_;
  std::vector<std::int32_t> ranks_;      ///< [rows, fit_columns]
  std::vector<double> lines_, weights_;  ///< [rows, fit_columns] by rank
  std::vector<const float*> upcoming_;
};

}  // namespace souk
