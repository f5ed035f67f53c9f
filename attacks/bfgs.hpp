#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace souk {

/// A function of a few variables: writes its gradient and returns its value.
using Smooth = std::function<double(std::span<const double> at, std::span<double> gradient)>;

/// What a descent came to.
struct Descent {
  std::vector<double> at;
  double value = 0.0;
};

/// Minimises from `start` by BFGS with the whole inverse Hessian (Nocedal and Wright, "Numerical Optimization", 2006,
/// algorithm 6.1, first scaled by equation 6.20), halving steps until the value falls by 1e-4 of what the slope
/// promises; the first is not longer than 1. Ends where the gradient is shorter than 1e-8, a step no longer helps, or
/// after so many steps. Contract: `start` has a finite value.
Descent minimised(const Smooth& function, std::vector<double> start, std::size_t steps_max = 300);

}  // namespace souk
