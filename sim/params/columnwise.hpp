#pragma once

#include <cstddef>

#include "sim/params/update_matrix.hpp"

namespace souk {

// A NaN counts as +infinity in everything below.

/// Median of every coordinate; the mean of the two middle values for even n. No communication.
ColumnVector median_of_columns(const ColumnMatrix& updates);

/// Mean of every coordinate without its `trim` smallest and `trim` largest values; 2 trim < n. No communication.
ColumnVector trimmed_mean_of_columns(const ColumnMatrix& updates, std::size_t trim);

/// Mean of the `keep` values of every coordinate nearest to `center`, ties to the smaller row; 1 <= keep <= n. The
/// distance is |x - c| rounded to float. No communication.
ColumnVector mean_near(const ColumnMatrix& updates, const ColumnVector& center, std::size_t keep);

}  // namespace souk
