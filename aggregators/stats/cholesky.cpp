#include "aggregators/stats/cholesky.hpp"

#include <cmath>
#include <utility>
#include <vector>

#include "sim/base/contract.hpp"

namespace souk {

std::optional<Cholesky> Cholesky::of(const DenseMatrix& matrix) {
  const std::size_t m = matrix.rows;
  Cholesky result;
  result.lower_ = DenseMatrix(m, m);
  DenseMatrix& lower = result.lower_;
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double rest = matrix(i, j);
      for (std::size_t l = 0; l < j; ++l) rest -= lower(i, l) * lower(j, l);
      if (i == j && !(rest > 0.0)) return std::nullopt;
      lower(i, j) = i == j ? std::sqrt(rest) : rest / lower(j, j);
    }
  }
  return result;
}

Cholesky Cholesky::regularized(DenseMatrix matrix, double scale) {
  std::optional<Cholesky> factor = of(matrix);
  double added = 0.0;
  for (double jitter = 1e-14 * scale; !factor; jitter *= 10.0) {
    SOUK_EXPECT(std::isfinite(jitter) && jitter > 0.0);
    for (std::size_t i = 0; i < matrix.rows; ++i) matrix(i, i) += jitter - added;
    added = jitter;
    factor = of(matrix);
  }
  return *std::move(factor);
}

double Cholesky::inverse_form(std::span<const double> vector) const {
  std::vector<double> solved(vector.begin(), vector.end());  // L^-1 v
  double form = 0.0;
  for (std::size_t i = 0; i < solved.size(); ++i) {
    for (std::size_t l = 0; l < i; ++l) solved[i] -= lower_(i, l) * solved[l];
    solved[i] /= lower_(i, i);
    form += solved[i] * solved[i];
  }
  return form;
}

double Cholesky::log_determinant() const {
  double sum = 0.0;
  for (std::size_t i = 0; i < lower_.rows; ++i) sum += std::log(lower_(i, i));
  return 2.0 * sum;
}

}  // namespace souk
