#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/learn/curvature/solver.hpp"

namespace souk {

/// x_i = b_i / (diagonal_i + rho): a Hessian taken for its diagonal, or for that of Fisher's matrix; the residual is
/// that of the diagonal equation. Where a divisor is not positive: negative_curvature, and x = 0.
Solution solve_diagonal(std::span<const double> diagonal, std::span<const double> b, double damping);

/// Hutchinson's estimate of H's diagonal, [dimension]: the mean of z * (H z), element by element, over so many vectors
/// z of random signs, one product each. Unbiased; the variance of element i is the sum of squares of the others of its
/// row over samples. Bekas, Kokiopoulou, Saad, "An estimator for the diagonal of a matrix", 2007.
std::vector<double> estimate_diagonal(const HessianProduct& hessian, std::size_t dimension, std::size_t samples,
                                      Stream& random);

}  // namespace souk
