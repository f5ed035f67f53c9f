#pragma once

#include <cstddef>

namespace souk {

/// Columns multiplied in float before their sums go to double: few enough that what a lane adds up stays accurate, and
/// that two groups of rows fit the first cache. A multiple of run_columns_unit.
inline constexpr std::size_t run_columns_max = 1024;
inline constexpr std::size_t run_columns_unit = 16;

/// Some columns of all rows, in an order of its own. `values` is aligned to whole lines, [packed_values].
struct PackedRun {
  float* values;
  std::size_t rows;
  std::size_t columns;  ///< a multiple of run_columns_unit
};
std::size_t packed_values(std::size_t rows, std::size_t columns);

/// What is packed of a row: `size` values less those of `less`, unless that is null. `next` is fetched meanwhile.
struct RowPiece {
  const float* values;
  const float* less;
  const float* next;
  std::size_t size;
};

/// Packs row i, the columns beyond its size being 0. Returns the largest magnitude.
float pack_row(const RowPiece& row, const PackedRun& run, std::size_t i);

/// Multiplies packed row i.
void scale_row(const PackedRun& run, std::size_t i, float factor);

/// The columns to be packed next, rows[i] + offset on: fetched while products are computed.
struct Upcoming {
  const float* const* rows;
  std::size_t offset;
};

/// Where a block of rows may begin: whole groups of rows for every instruction set.
inline constexpr std::size_t row_products_unit = 15;

/// Products in float of the packed rows [first, rows) with those before `first`, [rows - first, first]; where `first`
/// is 0, of all pairs of rows, the lower triangle of [rows, rows] with its diagonal. `first` is a multiple of
/// row_products_unit. Each product is added up in the same order wherever its rows stand: equal rows have equal
/// products.
void row_products(const PackedRun& run, std::size_t first, float* products, const Upcoming& upcoming);

}  // namespace souk
