#include "aggregators/stats/gaussian_mixture.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "aggregators/stats/cholesky.hpp"
#include "aggregators/stats/kmeans.hpp"
#include "aggregators/stats/similarity.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"

namespace souk {
namespace {

constexpr double regularisation = 1e-6;
constexpr double mixture_tolerance = 1e-3;
constexpr int mixture_steps_max = 100;

DenseMatrix one_hot(std::span<const std::size_t> labels) {
  DenseMatrix result(labels.size(), 1 + *std::max_element(labels.begin(), labels.end()));
  for (std::size_t i = 0; i < labels.size(); ++i) result(i, labels[i]) = 1.0;
  return result;
}

/// Points minus the centre, [n, m].
DenseMatrix centred(const DenseMatrix& points, std::span<const double> centre) {
  DenseMatrix result = points;
  for (std::size_t i = 0; i < points.rows; ++i) {
    for (std::size_t c = 0; c < points.columns; ++c) result(i, c) -= centre[c];
  }
  return result;
}

void fit_component(const DenseMatrix& points, std::size_t k, GaussianMixture& mixture) {
  const std::size_t m = points.columns;
  double count = 10.0 * std::numeric_limits<double>::epsilon();  // an abandoned component divides by no 0
  for (std::size_t i = 0; i < points.rows; ++i) count += mixture.responsibilities(i, k);
  std::span<double> mean = mixture.means.row(k);
  std::fill(mean.begin(), mean.end(), 0.0);
  for (std::size_t i = 0; i < points.rows; ++i) {
    for (std::size_t c = 0; c < m; ++c) mean[c] += mixture.responsibilities(i, k) * points(i, c);
  }
  for (double& value : mean) value /= count;

  const DenseMatrix distances = centred(points, mean);
  DenseMatrix covariance(m, m);
  for (std::size_t i = 0; i < points.rows; ++i) {
    const std::span<const double> distance = distances.row(i);
    for (std::size_t a = 0; a < m; ++a) {
      const double scaled = mixture.responsibilities(i, k) * distance[a];
      for (std::size_t b = 0; b <= a; ++b) covariance(a, b) += scaled * distance[b];
    }
  }
  for (std::size_t a = 0; a < m; ++a) {
    for (std::size_t b = 0; b <= a; ++b) covariance(b, a) = covariance(a, b) /= count;
    covariance(a, a) += regularisation;
  }
  mixture.weights[k] = count;
  mixture.covariances[k] = std::move(covariance);
}

void maximisation(const DenseMatrix& points, GaussianMixture& mixture) {
  for (std::size_t k = 0; k < mixture.weights.size(); ++k) fit_component(points, k, mixture);
  double total = 0.0;
  for (const double weight : mixture.weights) total += weight;
  for (double& weight : mixture.weights) weight /= total;
}

double largest_variance(const DenseMatrix& covariance) {
  double largest = 0.0;
  for (std::size_t c = 0; c < covariance.rows; ++c) largest = std::max(largest, covariance(c, c));
  return largest;
}

/// log(weight_k N(x_i; mean_k, covariance_k)) in place of the responsibilities.
void log_densities(const DenseMatrix& points, GaussianMixture& mixture) {
  const double constant = static_cast<double>(points.columns) * std::log(2.0 * std::numbers::pi);
  for (std::size_t k = 0; k < mixture.weights.size(); ++k) {
    const Cholesky factor = Cholesky::regularized(mixture.covariances[k], largest_variance(mixture.covariances[k]));
    const DenseMatrix distances = centred(points, mixture.means.row(k));
    const double offset = std::log(mixture.weights[k]) - 0.5 * (constant + factor.log_determinant());
    for (std::size_t i = 0; i < points.rows; ++i) {
      mixture.responsibilities(i, k) = offset - 0.5 * factor.inverse_form(distances.row(i));
    }
  }
}

void expectation(const DenseMatrix& points, GaussianMixture& mixture) {
  log_densities(points, mixture);
  double total = 0.0;
  for (std::size_t i = 0; i < points.rows; ++i) {
    std::span<double> row = mixture.responsibilities.row(i);
    const double largest = *std::max_element(row.begin(), row.end());
    double sum = 0.0;
    for (const double log_density : row) sum += std::exp(log_density - largest);
    const double log_sum = largest + std::log(sum);
    for (double& value : row) value = std::exp(value - log_sum);
    total += log_sum;
  }
  mixture.log_likelihood = total / static_cast<double>(points.rows);
}

double schwarz_criterion(const GaussianMixture& mixture, double n, double m) {
  const double k = static_cast<double>(mixture.weights.size());
  const double parameters = k * m * (m + 1.0) / 2.0 + k * m + k - 1.0;
  return parameters * std::log(n) - 2.0 * n * mixture.log_likelihood;
}

}  // namespace

GaussianMixture gaussian_mixture(const DenseMatrix& points, std::size_t k, Stream& random) {
  SOUK_EXPECT(points.rows >= 1 && points.columns >= 1 && k >= 1);
  GaussianMixture mixture;
  mixture.responsibilities = one_hot(kmeans(squared_distances(points), k, random).labels);
  const std::size_t components = mixture.responsibilities.columns;
  mixture.weights.resize(components);
  mixture.means = DenseMatrix(components, points.columns);
  mixture.covariances.resize(components);

  maximisation(points, mixture);
  double before = -std::numeric_limits<double>::infinity();
  for (int step = 0; step < mixture_steps_max; ++step) {
    heartbeat::beat();
    expectation(points, mixture);
    maximisation(points, mixture);
    if (std::abs(mixture.log_likelihood - before) < mixture_tolerance) break;
    before = mixture.log_likelihood;
  }
  expectation(points, mixture);

  for (std::size_t i = 0; i < points.rows; ++i) {
    const auto row = mixture.responsibilities.row(i);
    mixture.labels.push_back(static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin()));
  }
  mixture.bic = schwarz_criterion(mixture, static_cast<double>(points.rows), static_cast<double>(points.columns));
  return mixture;
}

}  // namespace souk
