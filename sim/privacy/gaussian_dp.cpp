#include "sim/privacy/gaussian_dp.hpp"

#include <cmath>
#include <numbers>

#include "sim/base/contract.hpp"
#include "sim/privacy/log_erfc.hpp"

namespace souk {
namespace {

double log_normal_cdf(double x) { return log_erfc(-x / std::numbers::sqrt2) - std::numbers::ln2; }

}  // namespace

double gdp_delta(double mu, double epsilon) {
  SOUK_EXPECT(mu > 0.0);
  const double reached = std::exp(log_normal_cdf(-epsilon / mu + 0.5 * mu));
  return reached - std::exp(epsilon + log_normal_cdf(-epsilon / mu - 0.5 * mu));
}

double gdp_epsilon(double mu, double delta) {
  SOUK_EXPECT(delta > 0.0 && delta < 1.0);
  if (mu == 0.0 || gdp_delta(mu, 0.0) <= delta) return 0.0;
  double low = 0.0, high = 1.0;
  while (gdp_delta(mu, high) > delta) high *= 2.0;
  for (int halving = 0; halving < 100 && high - low > 1e-14 * high; ++halving) {
    const double middle = 0.5 * (low + high);
    (gdp_delta(mu, middle) > delta ? low : high) = middle;
  }
  return high;
}

double gdp_mu(Releases releases) {
  double squares = 0.0;
  for (const auto& [q, sigma, count] : releases) {
    const double precision = 1.0 / (sigma * sigma);
    squares += static_cast<double>(count) * (q == 1.0 ? precision : q * q * std::expm1(precision));
  }
  return std::sqrt(squares);
}

}  // namespace souk
