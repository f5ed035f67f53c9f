#pragma once

#include <vector>

#include "sim/params/dense_matrix.hpp"
#include "sim/params/linear.hpp"

namespace souk {

/// A = sum over k of values[k] v_k v_k^T.
struct SymmetricEigen {
  std::vector<double> values;  ///< [n], descending
  DenseMatrix vectors;         ///< [n, n], row k is v_k: orthonormal, its entry largest in magnitude is positive
};

/// All eigenvalues and eigenvectors: Householder tridiagonalisation and implicit QL (Bowdler, Martin, Reinsch,
/// Wilkinson, "The QR and QL algorithms for symmetric matrices", Numerische Mathematik 1968). Not LAPACK's: every rank
/// computes this for itself, and LAPACK's bits depend on the processor. About 9 n^3 operations.
SymmetricEigen symmetric_eigen(const SymmetricMatrix& matrix);

/// The largest eigenvalue of a positive semidefinite matrix and its unit eigenvector, signed as above.
struct TopEigen {
  double value = 0.0;
  std::vector<double> vector;  ///< [n]
};

/// Power iteration from a fixed random start, until |A v - lambda v| <= tolerance * lambda or for 10,000 steps, which
/// only eigenvalues closer than that can take: the vector is then one of their span. A = 0: value 0 and the start.
/// 2 n^2 operations per step.
TopEigen power_iteration(const SymmetricMatrix& matrix, double tolerance);

}  // namespace souk
