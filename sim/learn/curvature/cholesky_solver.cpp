#include "sim/learn/curvature/cholesky_solver.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <cblas.h>

#include "sim/base/contract.hpp"
#include "sim/learn/curvature/double_vectors.hpp"
#include "sim/params/dense_matrix.hpp"

namespace souk {
namespace {

blasint extent(std::size_t size) { return static_cast<blasint>(size); }

/// (H + H^T) / 2 + rho I: products differ from symmetric ones by rounding.
DenseMatrix form(const HessianProduct& hessian, std::size_t dimension, double damping) {
  DenseMatrix matrix(dimension, dimension);
  std::vector<float> unit(dimension, 0.0F), column(dimension);
  for (std::size_t j = 0; j < dimension; ++j) {
    unit[j] = 1.0F;
    hessian(unit, column);
    unit[j] = 0.0F;
    std::ranges::copy(column, matrix.row(j).begin());
  }
  for (std::size_t i = 0; i < dimension; ++i) {
    for (std::size_t j = 0; j < i; ++j) matrix(i, j) = matrix(j, i) = 0.5 * (matrix(i, j) + matrix(j, i));
    matrix(i, i) += damping;
  }
  return matrix;
}

/// The factor of rows and columns [first, end) that nothing is left to be taken from; false: there is none.
bool factor_block(DenseMatrix& matrix, std::size_t first, std::size_t end) {
  for (std::size_t j = first; j < end; ++j) {
    const std::span<const double> row = matrix.row(j).subspan(first, j - first);
    const double pivot = matrix(j, j) - vectors::dot(row, row);
    if (!(pivot > 0.0)) return false;
    matrix(j, j) = std::sqrt(pivot);
    for (std::size_t i = j + 1; i < end; ++i) {
      const double rest = matrix(i, j) - vectors::dot(matrix.row(i).subspan(first, j - first), row);
      matrix(i, j) = rest / matrix(j, j);
    }
  }
  return true;
}

/// Lower factor into the lower triangle, block by block so that nearly all work is a product of matrices; what is above
/// the diagonal stays. False: not positive definite.
bool factor(DenseMatrix& matrix) {
  constexpr std::size_t block = 64;
  const std::size_t n = matrix.rows;
  for (std::size_t first = 0; first < n; first += block) {
    const std::size_t end = std::min(n, first + block), width = end - first, rest = n - end;
    if (!factor_block(matrix, first, end)) return false;
    if (rest == 0) break;
    double* below = &matrix(end, first);
    cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, extent(rest), extent(width), 1.0,
                &matrix(first, first), extent(n), below, extent(n));
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, extent(rest), extent(width), -1.0, below, extent(n), 1.0,
                &matrix(end, end), extent(n));
  }
  return true;
}

/// |b - A x|, A by its diagonal and what is above it.
double residual(const DenseMatrix& upper, std::span<const double> diagonal, std::span<const double> b,
                std::span<const double> x) {
  std::vector<double> rest(b.begin(), b.end());
  for (std::size_t i = 0; i < b.size(); ++i) {
    const auto right = upper.row(i).subspan(i + 1);
    rest[i] -= diagonal[i] * x[i] + vectors::dot(right, x.subspan(i + 1));
    vectors::add(-x[i], right, std::span(rest).subspan(i + 1));
  }
  return vectors::norm(rest);
}

}  // namespace

Solution solve_cholesky(const HessianProduct& hessian, std::span<const double> b, double damping) {
  const std::size_t n = b.size();
  SOUK_EXPECT(n <= largest_dense_hessian);
  Solution solution{.x = std::vector<double>(n, 0.0)};
  const double of_b = vectors::norm(b);
  if (of_b == 0.0) return solution;
  DenseMatrix matrix = form(hessian, n, damping);
  solution.products = n;
  std::vector<double> diagonal(n);
  for (std::size_t i = 0; i < n; ++i) diagonal[i] = matrix(i, i);
  if (!factor(matrix)) {
    solution.residual = 1.0;
    solution.end = SolveEnd::negative_curvature;
    return solution;
  }
  std::ranges::copy(b, solution.x.begin());
  for (const auto transposed : {CblasNoTrans, CblasTrans}) {
    cblas_dtrsv(CblasRowMajor, CblasLower, transposed, CblasNonUnit, extent(n), matrix.values.data(), extent(n),
                solution.x.data(), 1);
  }
  solution.residual = residual(matrix, diagonal, b, solution.x) / of_b;
  return solution;
}

}  // namespace souk
