#pragma once

#include <cstddef>
#include <cstdint>

namespace souk {

/// Output rows computed together at most, and the columns that are a multiple of every instruction set's step.
inline constexpr std::size_t mixture_rows_max = 8;
inline constexpr std::size_t mixture_columns_unit = 24;

/// Some columns of the rows that are mixed, in an order of its own. `values` is aligned to whole lines,
/// [rows * columns].
struct MixedColumns {
  float* values;
  std::size_t rows;
  std::size_t columns;  ///< a multiple of mixture_columns_unit
};

/// Copies `size` columns of row i, those beyond being 0; `next` is fetched meanwhile. Whether all are finite.
bool place_row(const float* values, const float* next, std::size_t size, const MixedColumns& block, std::size_t i);

/// Output row r is the sum of coefficients[t * outputs + r] times row from[t].
struct Mixture {
  const std::uint32_t* from;  ///< ascending
  const double* coefficients;
  std::size_t terms;
  std::size_t outputs;  ///< 1 … mixture_rows_max
};

/// Writes the first `size` columns of each output row: terms added in order, each by one fused multiply-add where the
/// processor has it, in double, rounded once. Never -0.
void mix_columns(const MixedColumns& block, const Mixture& mixture, std::size_t size, float* const* out);

}  // namespace souk
