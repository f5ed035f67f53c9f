#pragma once

#include <cstddef>

namespace souk {

/// Columns multiplied in float before their sums go to double: few enough that what a lane adds up stays accurate, and
/// that two groups of rows fit the first cache.
inline constexpr std::size_t run_columns = 1024;

/// Copies `size` <= run_columns values of a row, less those of `shift` (null: none), behind them zeros up to
/// run_columns. Returns the largest magnitude.
float pack_row(const float* row, const float* shift, std::size_t size, float* to);

/// Products of all pairs of packed rows [n, run_columns], in float: the lower triangle of [n, n], diagonal included.
/// Each product is added up in the same order wherever its rows stand: equal rows have equal products.
void row_products(const float* rows, std::size_t n, float* products);

}  // namespace souk
