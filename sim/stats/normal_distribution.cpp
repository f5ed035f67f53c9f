#include "sim/stats/normal_distribution.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

/// normal_quantile for p in (0, 0.5]: Abramowitz and Stegun 26.2.23, then Halley's method on the CDF.
double lower_tail_quantile(double p) {
  const double t = std::sqrt(-2.0 * std::log(p));
  double x = (2.515517 + t * (0.802853 + t * 0.010328)) / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t;
  for (int step = 0; step < 3; ++step) {
    const double error = (normal_cdf(x) - p) * std::sqrt(2.0 * std::numbers::pi) * std::exp(0.5 * x * x);
    x -= error / (1.0 + 0.5 * x * error);
  }
  return x;
}

}  // namespace

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

double normal_quantile(double p) {
  SOUK_EXPECT(p >= 0.0 && p <= 1.0);
  if (p == 0.0) return -std::numeric_limits<double>::infinity();
  if (p == 1.0) return std::numeric_limits<double>::infinity();
  return p <= 0.5 ? lower_tail_quantile(p) : -lower_tail_quantile(1.0 - p);
}

}  // namespace souk
