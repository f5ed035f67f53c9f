#include "attacks/membership_scores.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>

#include "attacks/vector_distances.hpp"
#include "sim/base/contract.hpp"
#include "sim/stats/order_statistics.hpp"

namespace souk {
namespace {

double mean_square_around(std::span<const double> values, double middle) {
  double sum = 0.0;
  for (const double value : values) sum += (value - middle) * (value - middle);
  return sum / static_cast<double>(values.size());
}

/// [samples] Of the signals that `side` takes from each. Pooled variances are of the differences to the samples' own
/// middles, so that how much samples differ from each other is in none.
template <class Side>
std::vector<NormalFit> fits(std::span<const ShadowSignals> samples, const NormalFitting& fitting, Side side) {
  std::vector<NormalFit> fits;
  double pooled = 0.0;
  for (const ShadowSignals& sample : samples) {
    const std::vector<double>& signals = side(sample);
    const double middle = fitting.means ? mean_of(signals) : median(signals);
    const double own = fitting.own_variance ? mean_square_around(signals, mean_of(signals)) : 0.0;
    pooled += mean_square_around(signals, middle);
    fits.push_back({.mean = middle, .deviation = std::sqrt(own)});
  }
  if (fitting.own_variance) return fits;
  for (NormalFit& fit : fits) fit.deviation = std::sqrt(pooled / static_cast<double>(samples.size()));
  return fits;
}

const std::vector<double>& in(const ShadowSignals& sample) { return sample.in; }
const std::vector<double>& out(const ShadowSignals& sample) { return sample.out; }

constexpr double least_deviation = 1e-30;

/// x of A x = b, A symmetric and positive definite, row after row; in place of b.
void solve_in_place(std::vector<double>& a, std::vector<double>& b) {
  const std::size_t n = b.size();
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t i = j + 1; i < n; ++i) {
      const double factor = a[i * n + j] / a[j * n + j];
      for (std::size_t k = j; k < n; ++k) a[i * n + k] -= factor * a[j * n + k];
      b[i] -= factor * b[j];
    }
  }
  for (std::size_t j = n; j-- > 0;) {
    for (std::size_t k = j + 1; k < n; ++k) b[j] -= a[j * n + k] * b[k];
    b[j] /= a[j * n + j];
  }
}

}  // namespace

double confidence_logit(std::span<const float> logits, std::int32_t label) {
  double largest = -std::numeric_limits<double>::infinity();
  for (std::size_t c = 0; c < logits.size(); ++c) {
    if (c != static_cast<std::size_t>(label)) largest = std::max(largest, static_cast<double>(logits[c]));
  }
  double sum = 0.0;
  for (std::size_t c = 0; c < logits.size(); ++c) {
    if (c != static_cast<std::size_t>(label)) sum += std::exp(static_cast<double>(logits[c]) - largest);
  }
  return static_cast<double>(logits[static_cast<std::size_t>(label)]) - largest - std::log(sum);
}

double NormalFit::log_density(double x) const {
  const double s = std::max(deviation, least_deviation), z = (x - mean) / s;
  return -0.5 * z * z - std::log(s) - 0.5 * std::log(2.0 * std::numbers::pi);
}

std::vector<double> likelihood_ratios(std::span<const ShadowSignals> samples, const NormalFitting& fitting) {
  const std::vector<NormalFit> with = fits(samples, fitting, in), without = fits(samples, fitting, out);
  std::vector<double> ratios;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    ratios.push_back(with[i].log_density(samples[i].target) - without[i].log_density(samples[i].target));
  }
  return ratios;
}

std::vector<double> offline_likelihoods(std::span<const ShadowSignals> samples, const NormalFitting& fitting) {
  const std::vector<NormalFit> without = fits(samples, fitting, out);
  std::vector<double> likelihoods;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    likelihoods.push_back((samples[i].target - without[i].mean) / std::max(without[i].deviation, least_deviation));
  }
  return likelihoods;
}

std::vector<double> calibrated_difficulties(std::span<const ShadowSignals> samples) {
  std::vector<double> scores;
  for (const ShadowSignals& sample : samples) scores.push_back(sample.target - mean_of(sample.out));
  return scores;
}

double relative_confidence(const ShadowSignals& sample, const RelativeSettings& settings) {
  const double without = mean_of(sample.out);
  const double reference =
      settings.offline ? 0.5 * ((1.0 + settings.a) * without + 1.0 - settings.a) : 0.5 * (mean_of(sample.in) + without);
  return sample.target / reference;
}

std::vector<double> shares_below(std::span<const ShadowSignals> samples, std::span<const ShadowSignals> others,
                                 const RelativeSettings& settings) {
  SOUK_EXPECT(!others.empty());
  std::vector<double> thresholds, shares;
  for (const ShadowSignals& other : others) {
    thresholds.push_back(settings.gamma * relative_confidence(other, settings));
  }
  std::ranges::sort(thresholds);
  for (const ShadowSignals& sample : samples) {
    const auto below = std::ranges::lower_bound(thresholds, relative_confidence(sample, settings));
    shares.push_back(static_cast<double>(below - thresholds.begin()) / static_cast<double>(thresholds.size()));
  }
  return shares;
}

double log_odds(std::span<const double> coefficients, std::span<const double> row) {
  double sum = coefficients.back();
  for (std::size_t k = 0; k < row.size(); ++k) sum += coefficients[k] * row[k];
  return sum;
}

std::vector<double> logistic_regression(std::span<const std::vector<double>> rows, std::span<const std::uint8_t> truth,
                                        double penalty) {
  SOUK_EXPECT(!rows.empty() && rows.size() == truth.size() && penalty > 0.0);
  const std::size_t n = rows.front().size() + 1;
  std::vector<double> coefficients(n, 0.0);
  for (int iteration = 0; iteration < 100; ++iteration) {
    std::vector<double> slope(n), curvature(n * n, 0.0), row(n, 1.0);
    for (std::size_t k = 0; k < n; ++k) slope[k] = penalty * coefficients[k];
    for (std::size_t k = 0; k < n; ++k) curvature[k * n + k] = penalty;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::ranges::copy(rows[i], row.begin());
      const double p = 1.0 / (1.0 + std::exp(-log_odds(coefficients, rows[i])));
      for (std::size_t k = 0; k < n; ++k) {
        slope[k] += (p - (truth[i] != 0 ? 1.0 : 0.0)) * row[k];
        for (std::size_t l = 0; l < n; ++l) curvature[k * n + l] += p * (1.0 - p) * row[k] * row[l];
      }
    }
    solve_in_place(curvature, slope);
    double largest = 0.0;
    for (std::size_t k = 0; k < n; ++k) {
      coefficients[k] -= slope[k];
      largest = std::max(largest, std::abs(slope[k]));
    }
    if (largest < 1e-10) break;
  }
  return coefficients;
}

}  // namespace souk
