#pragma once

#include <cstddef>
#include <span>

namespace souk {

/// The sum of a[i] b[i] in the order of i: the same bits on every processor. For vectors of a few values; rows of
/// parameters have `row_products.hpp`. Both of one size.
inline double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace souk
