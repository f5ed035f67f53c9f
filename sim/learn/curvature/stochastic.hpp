#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "sim/learn/curvature/solver.hpp"

namespace souk {

/// out = H direction of the sample of data that belongs to a step.
using SampledProduct = std::function<void(std::size_t step, std::span<const float> direction, std::span<float> out)>;

struct StochasticSettings {
  double learning_rate = 1e-4;  ///< of Adam
  double damping = 0.0;         ///< rho
  std::size_t steps = 2000;
  std::size_t patience = 15;  ///< steps without a smaller residual, behind the first 20, after which it stops
  double tolerance = 1e-6;    ///< of the residual
};

/// Minimises x (H + rho I) x / 2 - b x from x = 0 by Adam (Kingma, Ba, ICLR 2015) on products of samples, as IF-DFM
/// (arXiv 2502.01669) does. The gradient (H + rho I) x - b is written down: codes that differentiate the quadratic
/// around a product that is taken for constant get half of the first term, and twice the solution.
/// Residuals are those of the samples. x is the iterate with the smallest; where none is smaller than that of x = 0, it
/// diverged.
Solution solve_stochastic(const SampledProduct& hessian, std::span<const double> b, const StochasticSettings& settings);

}  // namespace souk
