#include "analysis/statistics/student_t.hpp"

#include <cmath>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

/// Away from 0, by which Lentz's method divides.
double not_zero(double value) { return std::fabs(value) < 1e-300 ? 1e-300 : value; }

/// The continued fraction of I_x(a, b); converges fast for x < (a + 1) / (a + b + 2).
double beta_fraction(double a, double b, double x) {
  double c = 1.0;
  double d = 1.0 / not_zero(1.0 - (a + b) * x / (a + 1.0));
  double value = d;
  for (int m = 1; m < 10000; ++m) {
    const double even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
    d = 1.0 / not_zero(1.0 + even * d);
    c = not_zero(1.0 + even / c);
    value *= c * d;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
    d = 1.0 / not_zero(1.0 + odd * d);
    c = not_zero(1.0 + odd / c);
    value *= c * d;
    if (std::fabs(c * d - 1.0) < 1e-16) break;
  }
  return value;
}

/// I_x(a, b); y = 1 - x, given apart because x may be too close to 1 to tell.
double regularised_beta(double a, double b, double x, double y) {
  if (x <= 0.0) return 0.0;
  if (y <= 0.0) return 1.0;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log(y));
  if (x < (a + 1.0) / (a + b + 2.0)) return front * beta_fraction(a, b, x) / a;
  return 1.0 - front * beta_fraction(b, a, y) / b;
}

}  // namespace

double student_t_cdf(double t, double degrees) {
  SOUK_EXPECT(degrees > 0.0);
  const double total = degrees + t * t;
  const double tail = 0.5 * regularised_beta(0.5 * degrees, 0.5, degrees / total, t * t / total);
  return t > 0.0 ? 1.0 - tail : tail;
}

double student_t_quantile(double p, double degrees) {
  SOUK_EXPECT(p > 0.0 && p < 1.0);
  if (p == 0.5) return 0.0;
  // The lower tail keeps its relative accuracy; the upper one mirrors it.
  const double tail = p < 0.5 ? p : 1.0 - p;
  double low = -1.0;
  while (student_t_cdf(low, degrees) > tail) low *= 2.0;
  double high = 0.0;
  for (double middle = 0.5 * low; middle > low && middle < high; middle = 0.5 * (low + high)) {
    (student_t_cdf(middle, degrees) < tail ? low : high) = middle;
  }
  return p < 0.5 ? high : -high;
}

}  // namespace souk
