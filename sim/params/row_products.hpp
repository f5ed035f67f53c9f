#pragma once

#include <cstddef>

namespace souk {

/// Columns multiplied in float before their sums go to double: few enough that what a lane adds up stays accurate, and
/// that two groups of rows fit the first cache.
inline constexpr std::size_t run_columns = 1024;

/// Floats that a packed run of n rows takes; it is aligned to whole lines.
std::size_t packed_values(std::size_t n);

/// Puts `size` <= run_columns values of row i, less those of `shift` (null: none), into a packed run, the rest of the
/// row being 0. Returns the largest magnitude.
float pack_row(const float* row, const float* shift, std::size_t size, float* run, std::size_t i);

/// Multiplies packed row i.
void scale_row(float* run, std::size_t i, float factor);

/// Products of all pairs of the n packed rows, in float: the lower triangle of [n, n], diagonal included. Each product
/// is added up in the same order wherever its rows stand: equal rows have equal products.
void row_products(const float* run, std::size_t n, float* products);

}  // namespace souk
