#pragma once

#include <cstddef>
#include <span>

#include "sim/learn/curvature/solver.hpp"

namespace souk {

struct LissaSettings {
  double damping = 0.0;  ///< rho
  /// What H + rho I is divided by, so that the series converges: more than half of its largest eigenvalue. 0: 1.1 times
  /// that eigenvalue, by 30 steps of the power iteration.
  double scale = 0.0;
  std::size_t steps = 100;
  double tolerance = 1e-6;  ///< of the residual
};

/// The Neumann series of the inverse, in the form of LiSSA with all data in every step (Agarwal, Bullins, Hazan,
/// "Second-Order Stochastic Optimization for Machine Learning in Linear Time", JMLR 2017; Koh, Liang, ICML 2017):
///   h_0 = b,  h_t+1 = b + h_t - (H + rho I) h_t / scale,  x = h / scale.
/// The damping here is rho itself and not, as in codes of it, rho / scale.
/// The logarithm of the residual is convex in t: once it grows it grows for ever. A residual of twice the smallest,
/// which is no rounding, is reported as divergence. x is the iterate, 0 among them, with the smallest residual.
Solution solve_lissa(const HessianProduct& hessian, std::span<const double> b, const LissaSettings& settings);

}  // namespace souk
