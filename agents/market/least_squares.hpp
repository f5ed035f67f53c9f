#pragma once

#include <span>
#include <vector>

#include "sim/params/linear.hpp"

namespace souk {

/// A symmetric positive semidefinite matrix, to be divided by: its inverse on the span of its eigenvectors, but for
/// those of eigenvalues no larger than `cutoff` times the largest, which counts as 0. About 9 n^3 operations.
class PseudoInverse {
 public:
  PseudoInverse(const SymmetricMatrix& matrix, double cutoff);
  /// The solution of least length of matrix x = vector, [n].
  std::vector<double> times(std::span<const double> vector) const;

 private:
  std::vector<double> inverses_;              ///< of the eigenvalues kept
  std::vector<std::vector<double>> vectors_;  ///< theirs, [n] each
};

}  // namespace souk
