#include "aggregators/stats/bayesian_ridge.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>

#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/params/dot.hpp"
#include "sim/params/symmetric_eigen.hpp"

namespace souk {
namespace {

constexpr double prior = 1e-6;  // of all four parameters of the two gamma distributions
constexpr double ridge_tolerance = 1e-3;
constexpr int ridge_steps_max = 300;

/// Squared singular values, largest first, those that rounding made are left out; right singular vectors, row by row.
struct RightSingular {
  std::vector<double> squares;
  DenseMatrix vectors;
};

DenseMatrix transposed(const DenseMatrix& x) {
  DenseMatrix result(x.columns, x.rows);
  for (std::size_t i = 0; i < x.rows; ++i) {
    for (std::size_t j = 0; j < x.columns; ++j) result(j, i) = x(i, j);
  }
  return result;
}

SymmetricMatrix gram_of_rows(const DenseMatrix& x) {
  SymmetricMatrix result{x.rows, {}};
  for (std::size_t i = 0; i < x.rows; ++i) {
    heartbeat::beat();
    for (std::size_t j = 0; j <= i; ++j) result.lower.push_back(dot(x.row(i), x.row(j)));
  }
  return result;
}

/// By the eigenvectors of X^T X or X X^T, whichever is smaller.
RightSingular right_singular(const DenseMatrix& x) {
  const bool tall = x.rows > x.columns;
  const SymmetricEigen eigen = symmetric_eigen(gram_of_rows(tall ? transposed(x) : x));
  const double size = static_cast<double>(std::max(x.rows, x.columns));
  const double smallest =
      eigen.values.empty() ? 0.0 : eigen.values.front() * size * std::numeric_limits<double>::epsilon();
  RightSingular result;
  for (const double value : eigen.values) {
    if (value > smallest) result.squares.push_back(value);
  }
  result.vectors = DenseMatrix(result.squares.size(), x.columns);
  for (std::size_t k = 0; k < result.squares.size(); ++k) {
    std::span<double> vector = result.vectors.row(k);
    if (tall) {
      std::copy_n(eigen.vectors.row(k).begin(), x.columns, vector.begin());
      continue;
    }
    const double singular = std::sqrt(result.squares[k]);
    for (std::size_t i = 0; i < x.rows; ++i) {
      const double factor = eigen.vectors(k, i) / singular;
      for (std::size_t j = 0; j < x.columns; ++j) vector[j] += factor * x(i, j);
    }
  }
  return result;
}

double centre(std::span<double> values) {
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  for (double& value : values) value -= mean;
  return mean;
}

/// The regression of centred y on centred x; alpha is the precision of the noise, lambda that of the coefficients.
class EvidenceMaximisation {
 public:
  EvidenceMaximisation(const DenseMatrix& x, std::span<const double> y) : x_(x), y_(y), basis_(right_singular(x)) {
    std::vector<double> correlations(x.columns);  // X^T y
    for (std::size_t i = 0; i < x.rows; ++i) {
      for (std::size_t j = 0; j < x.columns; ++j) correlations[j] += x(i, j) * y[i];
    }
    for (std::size_t k = 0; k < basis_.squares.size(); ++k) along_.push_back(dot(basis_.vectors.row(k), correlations));
    const double variance = dot(y, y) / static_cast<double>(y.size());
    alpha_ = 1.0 / (variance + std::numeric_limits<double>::epsilon());
  }

  std::vector<double> coefficients() {
    std::vector<double> before;
    for (int step = 0; step < ridge_steps_max; ++step) {
      heartbeat::beat();
      std::vector<double> current = posterior_mean();
      update_precisions(current);
      if (step > 0 && change(before, current) < ridge_tolerance) break;
      before = std::move(current);
    }
    return posterior_mean();
  }

 private:
  std::vector<double> posterior_mean() const {
    std::vector<double> result(x_.columns);
    for (std::size_t k = 0; k < along_.size(); ++k) {
      const double factor = along_[k] / (basis_.squares[k] + lambda_ / alpha_);
      const std::span<const double> vector = basis_.vectors.row(k);
      for (std::size_t j = 0; j < result.size(); ++j) result[j] += factor * vector[j];
    }
    return result;
  }

  void update_precisions(std::span<const double> coefficients) {
    double residual = 0.0;
    for (std::size_t i = 0; i < x_.rows; ++i) residual += std::pow(y_[i] - dot(x_.row(i), coefficients), 2);
    double determined = 0.0;  // effective number of parameters
    for (const double square : basis_.squares) determined += alpha_ * square / (lambda_ + alpha_ * square);
    lambda_ = (determined + 2.0 * prior) / (dot(coefficients, coefficients) + 2.0 * prior);
    alpha_ = (static_cast<double>(y_.size()) - determined + 2.0 * prior) / (residual + 2.0 * prior);
  }

  static double change(std::span<const double> before, std::span<const double> after) {
    double sum = 0.0;
    for (std::size_t j = 0; j < before.size(); ++j) sum += std::abs(after[j] - before[j]);
    return sum;
  }

  const DenseMatrix& x_;
  std::span<const double> y_;
  RightSingular basis_;
  std::vector<double> along_;  ///< X^T y in the basis
  double alpha_ = 1.0;
  double lambda_ = 1.0;
};

}  // namespace

LinearFit bayesian_ridge(const DenseMatrix& x, std::span<const double> y) {
  SOUK_EXPECT(x.rows >= 1 && x.rows == y.size());
  DenseMatrix columns = transposed(x);
  std::vector<double> means;
  for (std::size_t j = 0; j < x.columns; ++j) means.push_back(centre(columns.row(j)));
  std::vector<double> centred_y(y.begin(), y.end());
  const double mean = centre(centred_y);
  const DenseMatrix centred_x = transposed(columns);
  LinearFit fit;
  fit.coefficients = EvidenceMaximisation(centred_x, centred_y).coefficients();
  fit.intercept = mean - dot(fit.coefficients, means);
  return fit;
}

}  // namespace souk
