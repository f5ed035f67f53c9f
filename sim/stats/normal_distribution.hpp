#pragma once

namespace souk {

/// P(Z <= x) of a standard normal Z.
double normal_cdf(double x);

/// The x with normal_cdf(x) = p; minus infinity at 0, plus infinity at 1. Relative error below 1e-12.
double normal_quantile(double p);

}  // namespace souk
