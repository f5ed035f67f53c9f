#include "sim/privacy/renyi.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "sim/base/contract.hpp"
#include "sim/privacy/log_erfc.hpp"

namespace souk {
namespace {

/// Adds numbers given by factor and logarithm, whatever their magnitude.
class LogSum {
 public:
  void add(double factor, double logarithm) {
    largest_ = std::max(largest_, logarithm);
    terms_.push_back({factor, logarithm});
  }
  /// Of the largest magnitude so far.
  double largest() const { return largest_; }
  /// Logarithm of the sum, which must be positive.
  double logarithm() const {
    double sum = 0.0;
    for (const Term& term : terms_) sum += term.factor * std::exp(term.logarithm - largest_);
    return largest_ + std::log(sum);
  }

 private:
  struct Term {
    double factor, logarithm;
  };
  double largest_ = -std::numeric_limits<double>::infinity();
  std::vector<Term> terms_;
};

/// ln E_Q[(P/Q)^alpha] for whole alpha: the binomial theorem.
double log_moment_whole(double q, double sigma, int alpha) {
  LogSum sum;
  double log_binomial = 0.0;
  for (int i = 0; i <= alpha; ++i) {
    const double n = i;
    sum.add(1.0, log_binomial + n * std::log(q) + (alpha - n) * std::log1p(-q) + (n * n - n) / (2.0 * sigma * sigma));
    log_binomial += std::log((alpha - n) / (n + 1.0));
  }
  return sum.logarithm();
}

/// The same for any alpha: two series, one on each side of the point where both densities of the mixture are equal.
/// From i > alpha on signs alternate and terms fall like i^(-alpha - 2): half of the last one stands for all that would
/// follow, but for an i-th of it.
double log_moment_fractional(double q, double sigma, double alpha) {
  constexpr double negligible = 34.0;  // e-foldings
  const double middle = sigma * sigma * std::log(1.0 / q - 1.0) + 0.5;
  const double scale = std::numbers::sqrt2 * sigma;
  LogSum sum;
  double log_binomial = 0.0, sign = 1.0;
  for (double i = 0.0;; ++i) {
    const double j = alpha - i;
    const double low = log_binomial + i * std::log(q) + j * std::log1p(-q) + (i * i - i) / (2.0 * sigma * sigma) +
                       log_erfc((i - middle) / scale) - std::numbers::ln2;
    const double high = log_binomial + j * std::log(q) + i * std::log1p(-q) + (j * j - j) / (2.0 * sigma * sigma) +
                        log_erfc((middle - j) / scale) - std::numbers::ln2;
    const bool last = i > alpha && std::max(low, high) - std::log(i) < sum.largest() - negligible;
    sum.add(last ? 0.5 * sign : sign, low);
    sum.add(last ? 0.5 * sign : sign, high);
    if (last) return sum.logarithm();
    log_binomial += std::log(std::abs(j / (i + 1.0)));
    if (j < 0.0) sign = -sign;
  }
}

std::vector<double> orders() {
  std::vector<double> all;
  for (int tenth = 11; tenth <= 109; ++tenth) all.push_back(tenth / 10.0);
  for (int whole = 12; whole <= 63; ++whole) all.push_back(whole);
  for (int whole = 64; whole <= 512; whole *= 2) all.push_back(whole);
  return all;
}

double converted(double divergence, double alpha, double delta, RenyiConversion conversion) {
  const double rest = alpha - 1.0;
  if (conversion == RenyiConversion::original) return divergence - std::log(delta) / rest;
  return divergence + std::log(rest / alpha) - (std::log(delta) + std::log(alpha)) / rest;
}

}  // namespace

double renyi_divergence(double sampling, double noise, double alpha) {
  SOUK_EXPECT(sampling > 0.0 && sampling <= 1.0 && noise > 0.0 && alpha > 1.0);
  if (sampling == 1.0) return alpha / (2.0 * noise * noise);
  const bool whole = alpha == std::floor(alpha);
  const double moment = whole ? log_moment_whole(sampling, noise, static_cast<int>(alpha))
                              : log_moment_fractional(sampling, noise, alpha);
  return moment / (alpha - 1.0);
}

RenyiEpsilon renyi_epsilon(Releases releases, double delta, RenyiConversion conversion) {
  SOUK_EXPECT(delta > 0.0 && delta < 1.0);
  if (releases.empty()) return {};
  const std::vector<double> tried = orders();
  RenyiEpsilon best{.epsilon = std::numeric_limits<double>::infinity()};
  for (const double alpha : tried) {
    double divergence = 0.0;
    for (const auto& [q, sigma, count] : releases) {
      divergence += static_cast<double>(count) * renyi_divergence(q, sigma, alpha);
    }
    const double epsilon = std::max(0.0, converted(divergence, alpha, delta, conversion));
    if (epsilon < best.epsilon) best = {epsilon, alpha, alpha == tried.front() || alpha == tried.back()};
  }
  return best;
}

}  // namespace souk
