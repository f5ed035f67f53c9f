#pragma once

#include <cstddef>
#include <span>

namespace souk {

/// Columns worked on at a time: a cache line of floats, the widest vector there is.
inline constexpr std::size_t line_columns = 16;

/// Columns of all rows, copied together: value (row, column) is values[row * stride + column]. `columns` is a multiple
/// of line_columns, `values` and `stride` are aligned to whole lines, and nothing is NaN (see copy_without_nan). What
/// is to be copied next, upcoming[row] + offset on, is fetched meanwhile.
struct ColumnBlock {
  const float* values;
  std::size_t rows, stride, columns;
  const float* const* upcoming;
  std::size_t offset;
};

/// Floats of scratch memory, aligned to a line, that the functions below need for so many rows.
std::size_t order_scratch(std::size_t rows);

/// Copies, and makes NaN +infinity.
void copy_without_nan(std::span<const float> from, float* to);

/// The mean of the two middle values of every column, [columns]; the middle value for odd rows.
void block_median(const ColumnBlock& block, float* scratch, float* out);

/// The mean of every column without `trim` values at either end, [columns].
void block_trimmed_mean(const ColumnBlock& block, std::size_t trim, float* scratch, float* out);

/// The mean of the `keep` values of every column with the smallest |x - center|, rounded to float; ties to the smaller
/// row. [columns]
void block_mean_near(const ColumnBlock& block, const float* center, std::size_t keep, float* scratch, float* out);

}  // namespace souk
