#pragma once

#include <cstddef>

namespace souk {

// Sums over the columns of rows, in double: sixteen running sums in a fixed pattern, so every instruction set gives the
// same bits.

/// a . b
double dot(const float* a, const float* b, std::size_t size);

struct DotAndNorm {
  double dot, squared_norm;
};
/// a . b and a . a in one pass.
DotAndNorm dot_and_norm(const float* a, const float* b, std::size_t size);

/// Sum of (a - b)^2.
double squared_distance(const float* a, const float* b, std::size_t size);

}  // namespace souk
