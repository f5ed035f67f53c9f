#pragma once

#include <cstddef>
#include <vector>

#include "attacks/bounded_lbfgs.hpp"

namespace souk {

/// Settings of Adam, with a tenth of its rate after 3/8, 5/8 and 7/8 of the steps.
struct AdamSettings {
  std::size_t steps = 4800;
  double rate = 0.1;
  bool by_signs = false;  ///< it sees signs of the gradient
};

/// Minimises from `start` by Adam (beta 0.9 and 0.999, epsilon 1e-8), projected into the box after every step; the last
/// point, with its value.
Descent minimised_by_adam(const Smooth& function, std::vector<double> start, const Box& box,
                          const AdamSettings& settings);

}  // namespace souk
