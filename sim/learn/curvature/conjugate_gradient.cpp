#include "sim/learn/curvature/conjugate_gradient.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "sim/learn/curvature/damped_hessian.hpp"
#include "sim/learn/curvature/double_vectors.hpp"

namespace souk {
namespace {

class ConjugateGradient {
 public:
  ConjugateGradient(const HessianProduct& hessian, std::span<const double> b, const ConjugateGradientSettings& settings)
      : settings_(settings),
        b_(b),
        goal_(settings.tolerance * vectors::norm(b)),
        hessian_(hessian, b.size(), settings.damping),
        x_(b.size(), 0.0),
        residual_(b.begin(), b.end()),
        direction_(b.size()),
        product_(b.size()) {}

  Solution solve() {
    double length = vectors::norm(b_);
    SolveEnd end = length <= goal_ ? SolveEnd::converged : SolveEnd::iterations;
    while (length > goal_) {
      end = descend(length);
      const double before = length;
      length = hessian_.residual(b_, x_, residual_);
      if (end != SolveEnd::converged || length <= goal_) break;
      end = SolveEnd::iterations;
      if (length > 0.5 * before) break;  // this is as far as the products are exact
    }
    const double of_b = vectors::norm(b_);
    return {
        .x = std::move(x_), .products = hessian_.products(), .residual = of_b == 0.0 ? 0.0 : length / of_b, .end = end};
  }

 private:
  /// Iterations from the residual at x, of this length, until the residual that they carry along reaches the goal.
  SolveEnd descend(double length) {
    direction_ = residual_;
    double square = length * length;
    while (iterations_ < settings_.max_iterations) {
      ++iterations_;
      hessian_.multiply(direction_, product_);
      const double curvature = vectors::dot(direction_, product_);
      if (!std::isfinite(curvature)) return SolveEnd::diverged;
      if (curvature <= 0.0) return SolveEnd::negative_curvature;
      const double step = square / curvature;
      vectors::add(step, direction_, x_);
      vectors::add(-step, product_, residual_);
      const double next = vectors::dot(residual_, residual_);
      if (std::sqrt(next) <= goal_) return SolveEnd::converged;
      const double share = next / square;
      for (std::size_t i = 0; i < direction_.size(); ++i) direction_[i] = residual_[i] + share * direction_[i];
      square = next;
    }
    return SolveEnd::iterations;
  }

  ConjugateGradientSettings settings_;
  std::span<const double> b_;
  double goal_;  ///< of the residual's length
  DampedHessian hessian_;
  std::vector<double> x_, residual_, direction_, product_;
  std::size_t iterations_ = 0;
};

}  // namespace

Solution solve_conjugate_gradient(const HessianProduct& hessian, std::span<const double> b,
                                  const ConjugateGradientSettings& settings) {
  return ConjugateGradient(hessian, b, settings).solve();
}

}  // namespace souk
