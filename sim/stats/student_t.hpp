#pragma once

namespace souk {

/// P(T <= t) of Student's t distribution; degrees of freedom > 0. Absolute error below 1e-13.
double student_t_cdf(double t, double degrees);

/// The t with student_t_cdf(t) = p, for 0 < p < 1, by bisection to the last bit.
double student_t_quantile(double p, double degrees);

}  // namespace souk
