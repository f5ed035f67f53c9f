#pragma once

#include <cstddef>
#include <span>

#include "sim/learn/curvature/solver.hpp"

namespace souk {

/// Most values for which a dense Hessian, 128 MiB of it, is formed.
inline constexpr std::size_t largest_dense_hessian = 4096;

/// Forms H column by column, [dimension] products, and solves by Cholesky's factors of H + rho I, dimension^3 / 3
/// operations. Where there are none it is not positive definite: negative_curvature, and x = 0. Contract: dimension <=
/// largest_dense_hessian.
Solution solve_cholesky(const HessianProduct& hessian, std::span<const double> b, double damping);

}  // namespace souk
