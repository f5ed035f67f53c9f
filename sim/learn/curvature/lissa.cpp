#include "sim/learn/curvature/lissa.hpp"

#include <cmath>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"
#include "sim/learn/curvature/damped_hessian.hpp"
#include "sim/learn/curvature/double_vectors.hpp"
#include "sim/learn/curvature/largest_eigenvalue.hpp"

namespace souk {
namespace {

constexpr std::size_t power_steps = 30;
constexpr double growth_of_divergence = 2.0;

/// Fills in what is not the series: the eigenvalue where it was asked for, and the scale.
double choose_scale(const HessianProduct& hessian, std::size_t dimension, const LissaSettings& settings,
                    Solution& solution) {
  if (settings.scale > 0.0) return settings.scale;
  Stream random(0, streams::eigenvector_start());
  solution.largest_eigenvalue = largest_eigenvalue(hessian, dimension, power_steps, random);
  solution.products += power_steps;
  return 1.1 * (std::abs(solution.largest_eigenvalue) + settings.damping);
}

}  // namespace

Solution solve_lissa(const HessianProduct& hessian, std::span<const double> b, const LissaSettings& settings) {
  Solution best{.x = std::vector<double>(b.size(), 0.0)};
  const double of_b = vectors::norm(b);
  if (of_b == 0.0) return best;
  best.residual = 1.0;  // of x = 0
  best.end = SolveEnd::iterations;
  const double scale = choose_scale(hessian, b.size(), settings, best);
  DampedHessian damped(hessian, b.size(), settings.damping);
  // h_t+1 / scale = x_t + (b - (H + rho I) x_t) / scale: one product gives the step and the residual at x_t.
  std::vector<double> x(b.size(), 0.0), residual(b.begin(), b.end());
  for (std::size_t step = 0; step <= settings.steps; ++step) {
    vectors::add(1.0 / scale, residual, x);
    const double length = damped.residual(b, x, residual) / of_b;
    if (!(length <= growth_of_divergence * best.residual)) {  // NaN included
      best.end = SolveEnd::diverged;
      break;
    }
    if (length < best.residual) {
      best.residual = length;
      best.x = x;
    }
    if (length <= settings.tolerance) {
      best.end = SolveEnd::converged;
      break;
    }
  }
  best.products += damped.products();
  return best;
}

}  // namespace souk
