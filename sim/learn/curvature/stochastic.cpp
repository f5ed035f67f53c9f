#include "sim/learn/curvature/stochastic.hpp"

#include <cmath>
#include <vector>

#include "sim/learn/adam_steps.hpp"
#include "sim/learn/curvature/damped_hessian.hpp"
#include "sim/learn/curvature/double_vectors.hpp"

namespace souk {
namespace {

constexpr std::size_t steps_before_patience = 20;

}  // namespace

Solution solve_stochastic(const SampledProduct& hessian, std::span<const double> b,
                          const StochasticSettings& settings) {
  Solution best{.x = std::vector<double>(b.size(), 0.0)};
  const double of_b = vectors::norm(b);
  if (of_b == 0.0) return best;
  best.residual = 1.0;  // of x = 0
  best.end = SolveEnd::diverged;
  std::size_t step = 0, best_step = 0;
  DampedHessian damped([&](std::span<const float> direction, std::span<float> out) { hessian(step, direction, out); },
                       b.size(), settings.damping);
  AdamSteps adam(b.size(), settings.learning_rate);
  std::vector<double> x = best.x, gradient(b.size());
  for (; step < settings.steps; ++step) {
    const double length = damped.residual(b, x, gradient) / of_b;
    for (double& value : gradient) value = -value;
    if (!std::isfinite(length)) break;
    if (length < best.residual) {
      best.x = x;
      best.residual = length;
      best.end = SolveEnd::iterations;
      best_step = step;
    }
    if (length <= settings.tolerance) {
      best.end = SolveEnd::converged;
      break;
    }
    if (step >= steps_before_patience && step - best_step >= settings.patience) break;
    adam.step(gradient, x);
  }
  best.products = damped.products();
  return best;
}

}  // namespace souk
