#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "attacks/bfgs.hpp"

namespace souk {

/// Between which values the first so many variables stay; the others are free.
struct Box {
  std::size_t variables = 0;
  double low = 0.0, high = 1.0;
};

/// How long a descent of many variables lasts.
struct DescentLimits {
  std::size_t steps = 400;
  std::size_t memory = 20;  ///< pairs of steps and changes of the gradient that are remembered
};

/// Minimises from `start` by projected L-BFGS: the two-loop recursion (Nocedal and Wright, "Numerical Optimization",
/// 2006, algorithm 7.4) over variables that no bound holds back, steps projected into the box (Bertsekas, "Projected
/// Newton Methods for Optimization Problems with Simple Constraints", 1982). Steps are shortened by quadratic
/// interpolation until the value falls by 1e-4 of what the slope promises. Ends where no step helps. Contract: `start`
/// lies in the box.
Descent minimised_in_box(const Smooth& function, std::vector<double> start, const Box& box,
                         const DescentLimits& limits);

}  // namespace souk
