#pragma once

namespace souk {

/// I_x(a, b), the CDF of the beta distribution: a, b > 0, x in [0, 1]. Relative error below 1e-12 for a, b <= 1e3.
double regularized_incomplete_beta(double a, double b, double x);

/// The same with `rest` = 1 - x given apart, for an x that may be too close to 1 to tell.
double regularized_incomplete_beta(double a, double b, double x, double rest);

/// The x with P(X <= x) = p for X chi-squared with `degrees` of freedom; p in [0, 1).
double chi_squared_quantile(double p, double degrees);

}  // namespace souk
