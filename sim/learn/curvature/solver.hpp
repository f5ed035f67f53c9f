#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

/// Solvers for (H + rho I) x = b, where H is a Hessian known by its products with vectors and rho the damping. All
/// solve this one equation, with the plus of rho and without a factor, so that they can be exchanged; one file each.
namespace souk {

/// out = H direction, both [dimension]; symmetric. Collective where its owner says so.
using HessianProduct = std::function<void(std::span<const float> direction, std::span<float> out)>;

enum class SolveEnd : std::uint8_t {
  converged,          ///< the residual is within the tolerance, or the solver is direct
  iterations,         ///< it did all that it may, or nothing got better any more
  diverged,           ///< residuals grew, or are no numbers; x is the best before that
  negative_curvature  ///< H + rho I is not positive definite: more damping is needed; x is the best before that was
                      ///< seen
};

struct Solution {
  std::vector<double> x;
  std::size_t products = 0;  ///< of H with a vector
  double residual = 0.0;     ///< |b - (H + rho I) x| / |b|
  SolveEnd end = SolveEnd::converged;
  double largest_eigenvalue = 0.0;  ///< of H, by magnitude, where it was estimated
};

}  // namespace souk
