#pragma once

#include <cstddef>
#include <span>

#include "sim/learn/curvature/solver.hpp"

namespace souk {

struct ConjugateGradientSettings {
  double damping = 0.0;              ///< rho
  std::size_t max_iterations = 100;  ///< one product each
  double tolerance = 1e-6;           ///< of the residual
};

/// Hestenes, Stiefel, "Methods of Conjugate Gradients for Solving Linear Systems", 1952, from x = 0. Where its own
/// residual is within the tolerance, the true one is computed, and it goes on from there if rounding parted the two and
/// that helps. Along a direction of negative curvature it takes no step: x is the iterate before.
Solution solve_conjugate_gradient(const HessianProduct& hessian, std::span<const double> b,
                                  const ConjugateGradientSettings& settings);

}  // namespace souk
