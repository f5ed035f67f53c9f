#pragma once

#include <optional>
#include <span>

#include "sim/params/dense_matrix.hpp"

namespace souk {

/// The factor L of a symmetric positive definite matrix L L^T.
class Cholesky {
 public:
  /// Nothing where a pivot is not positive. Reads the lower triangle of the [m, m] matrix.
  static std::optional<Cholesky> of(const DenseMatrix& matrix);
  /// Of the matrix plus the first of 0, 1e-14, 1e-13, … times `scale` on its diagonal for which there is a factor: for
  /// covariances that are singular, or nearly. scale > 0; the matrix must be finite.
  static Cholesky regularized(DenseMatrix matrix, double scale);
  /// v^T (L L^T)^-1 v, of [m]: a squared Mahalanobis distance.
  double inverse_form(std::span<const double> vector) const;
  double log_determinant() const;  ///< of L L^T

 private:
  DenseMatrix lower_;
};

}  // namespace souk
