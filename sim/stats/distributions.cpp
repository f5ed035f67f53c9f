#include "sim/stats/distributions.hpp"

#include <cmath>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

constexpr double precision = 1e-16;
constexpr double tiny = 1e-300;  // stands for 0 in a denominator of a continued fraction
constexpr int terms_max = 10'000;

double not_zero(double value) { return std::abs(value) < tiny ? tiny : value; }

/// The continued fraction of I_x(a, b) (DLMF 8.17.22), converging fast for x < (a + 1) / (a + b + 2); by Lentz's method
/// (Thompson and Barnett, 1986).
double beta_fraction(double a, double b, double x) {
  double c = 1.0;
  double d = 1.0 / not_zero(1.0 - (a + b) * x / (a + 1.0));
  double result = d;
  const auto multiply = [&](double term) {
    d = 1.0 / not_zero(1.0 + term * d);
    c = not_zero(1.0 + term / c);
    result *= d * c;
    return std::abs(d * c - 1.0);
  };
  for (int i = 1; i < terms_max; ++i) {
    const double m = i;
    multiply(m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)));
    if (multiply(-(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))) < precision) break;
  }
  return result;
}

/// P(a, x), the regularised lower incomplete gamma function, as a series (DLMF 8.11.4): all terms positive.
double lower_gamma(double a, double x) {
  if (x == 0.0) return 0.0;
  double term = std::exp(a * std::log(x) - x - std::lgamma(a + 1.0));
  double sum = term;
  for (int i = 1; i < terms_max && term > sum * precision; ++i) {
    term *= x / (a + i);
    sum += term;
  }
  return sum;
}

/// I_x(a, b) for 0 < x, rest = 1 - x > 0; log_rest is the logarithm of the latter.
double incomplete_beta(double a, double b, double x, double rest, double log_rest) {
  const double log_factor = std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * log_rest;
  const double factor = std::exp(log_factor);
  if (x < (a + 1.0) / (a + b + 2.0)) return factor * beta_fraction(a, b, x) / a;
  return 1.0 - factor * beta_fraction(b, a, rest) / b;
}

}  // namespace

double regularized_incomplete_beta(double a, double b, double x) {
  SOUK_EXPECT(a > 0.0 && b > 0.0 && x >= 0.0 && x <= 1.0);
  if (x == 0.0 || x == 1.0) return x;
  return incomplete_beta(a, b, x, 1.0 - x, std::log1p(-x));
}

double regularized_incomplete_beta(double a, double b, double x, double rest) {
  SOUK_EXPECT(a > 0.0 && b > 0.0);
  if (x <= 0.0) return 0.0;
  if (rest <= 0.0) return 1.0;
  return incomplete_beta(a, b, x, rest, std::log(rest));
}

double chi_squared_quantile(double p, double degrees) {
  SOUK_EXPECT(p >= 0.0 && p < 1.0 && degrees > 0.0);
  if (p == 0.0) return 0.0;
  double low = 0.0;
  double high = degrees;
  while (lower_gamma(0.5 * degrees, 0.5 * high) < p) high *= 2.0;
  for (int step = 0; step < 200 && low < high; ++step) {
    const double middle = 0.5 * (low + high);
    if (middle == low || middle == high) break;
    (lower_gamma(0.5 * degrees, 0.5 * middle) < p ? low : high) = middle;
  }
  return high;
}

}  // namespace souk
