#pragma once

#include <span>
#include <vector>

#include "sim/params/dense_matrix.hpp"

namespace souk {

/// y = intercept + x . coefficients.
struct LinearFit {
  std::vector<double> coefficients;  ///< [m]
  double intercept = 0.0;
};

/// Ridge regression that finds its own penalty by maximising the evidence (MacKay, Neural Computation 1992), as
/// scikit-learn's BayesianRidge does by default: priors of 1e-6, until the coefficients change by less than 1e-3 in sum
/// or for 300 steps. x [n, m], y [n], n >= 1. Constant columns get coefficient 0.
LinearFit bayesian_ridge(const DenseMatrix& x, std::span<const double> y);

}  // namespace souk
