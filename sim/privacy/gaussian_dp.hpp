#pragma once

#include "sim/privacy/mechanism.hpp"

namespace souk {

/// Of mu-Gaussian differential privacy (Dong, Roth, Su, "Gaussian Differential Privacy", 2022): the delta that goes
/// with an epsilon >= 0, Phi(-eps/mu + mu/2) - e^eps Phi(-eps/mu - mu/2).
double gdp_delta(double mu, double epsilon);

/// The least epsilon >= 0 with gdp_delta(mu, epsilon) <= delta.
double gdp_epsilon(double mu, double delta);

/// mu of all releases together: squares add up. Exact where nothing is sampled (1 / sigma each); of sampled ones by the
/// central limit, q sqrt(e^(1/sigma^2) - 1) each, an approximation that may be too small as well as too large.
double gdp_mu(Releases releases);

}  // namespace souk
