#pragma once

#include "sim/params/dense_matrix.hpp"
#include "sim/params/linear.hpp"

namespace souk {

/// Cosines of rows, from their Gram matrix: within [-1, 1], 0 where a row is 0 (also with itself).
SymmetricMatrix cosines(const SymmetricMatrix& gram);

/// Squared Euclidean distances of rows, from their Gram matrix: g_ii + g_jj - 2 g_ij, never negative, 0 on the
/// diagonal. Rounding of the norms stays: rows much closer to each other than to 0 lose digits.
SymmetricMatrix squared_distances(const SymmetricMatrix& gram);

/// Squared Euclidean distances of the rows themselves, to full precision.
SymmetricMatrix squared_distances(const DenseMatrix& points);

}  // namespace souk
