#pragma once

#include <cstddef>

#include "sim/base/random.hpp"
#include "sim/learn/curvature/solver.hpp"

namespace souk {

/// The eigenvalue of H of the largest magnitude, with its sign, by so many steps (at least 1) of the power iteration
/// from a normal vector, one product each. It is |H v| of the last unit vector v, which is never larger than the true
/// magnitude and comes nearer with every step.
double largest_eigenvalue(const HessianProduct& hessian, std::size_t dimension, std::size_t iterations, Stream& random);

}  // namespace souk
