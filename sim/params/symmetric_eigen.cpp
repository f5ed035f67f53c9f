#include "sim/params/symmetric_eigen.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/base/streams.hpp"
#include "sim/params/dot.hpp"

namespace souk {
namespace {

constexpr int power_steps_max = 10'000;
constexpr int sweeps_max = 60;  // per eigenvalue; two or three are usual

struct Tridiagonal {
  std::vector<double> diagonal;
  std::vector<double> below;  ///< below[i] couples i and i + 1; the last is 0
  DenseMatrix basis;          ///< row k: the vector that coordinate k stands for
};

DenseMatrix unpacked(const SymmetricMatrix& matrix) {
  DenseMatrix full(matrix.order, matrix.order);
  for (std::size_t i = 0; i < matrix.order; ++i) {
    for (std::size_t j = 0; j < matrix.order; ++j) full(i, j) = matrix(i, j);
  }
  return full;
}

/// A <- H A H for H = I - 2 u u^T, on rows and columns from `first`, where u is not 0.
void reflect(DenseMatrix& a, std::span<const double> u, std::size_t first) {
  const std::size_t n = a.rows;
  std::vector<double> p(n);
  for (std::size_t i = first; i < n; ++i) p[i] = dot(a.row(i), u);
  const double half = dot(p, u);
  for (std::size_t i = first; i < n; ++i) p[i] -= half * u[i];
  for (std::size_t i = first; i < n; ++i) {
    std::span<double> row = a.row(i);
    for (std::size_t j = first; j < n; ++j) row[j] -= 2.0 * (u[i] * p[j] + p[i] * u[j]);
  }
}

/// The unit u whose reflection turns column k of A, below the diagonal, into (alpha, 0, …); empty where it is there
/// already. Returns alpha.
double householder(const DenseMatrix& a, std::size_t k, std::vector<double>& u) {
  std::fill(u.begin(), u.end(), 0.0);
  double scale = 0.0;
  for (std::size_t i = k + 1; i < a.rows; ++i) scale = std::max(scale, std::abs(a(k, i)));
  double tail = 0.0;
  for (std::size_t i = k + 2; i < a.rows; ++i) tail = std::max(tail, std::abs(a(k, i)));
  if (tail == 0.0) return a(k, k + 1);
  for (std::size_t i = k + 1; i < a.rows; ++i) u[i] = a(k, i) / scale;
  const double norm = std::sqrt(dot(u, u));
  const double alpha = u[k + 1] > 0.0 ? -norm : norm;
  u[k + 1] -= alpha;
  const double length = std::sqrt(dot(u, u));
  for (double& value : u) value /= length;
  return alpha * scale;
}

Tridiagonal tridiagonalise(const SymmetricMatrix& matrix) {
  const std::size_t n = matrix.order;
  DenseMatrix a = unpacked(matrix);
  Tridiagonal result{std::vector<double>(n), std::vector<double>(n), DenseMatrix(n, n)};
  DenseMatrix reflections(n, n);
  std::vector<double> u(n);
  for (std::size_t k = 0; k < n; ++k) {
    heartbeat::beat();
    result.diagonal[k] = a(k, k);
    if (k + 1 == n) break;
    result.below[k] = householder(a, k, u);
    if (u[k + 1] == 0.0) continue;
    reflect(a, u, k + 1);
    std::copy(u.begin(), u.end(), reflections.row(k).begin());
  }
  // Row k of the basis is column k of H_0 H_1 …: the reflections go from the last to the first, so that each touches
  // only the lower right corner.
  DenseMatrix& basis = result.basis;
  for (std::size_t i = 0; i < n; ++i) basis(i, i) = 1.0;
  for (std::size_t k = n; k-- > 0;) {
    heartbeat::beat();
    const std::span<const double> reflection = reflections.row(k);
    for (std::size_t i = k + 1; i < n; ++i) {
      std::span<double> row = basis.row(i);
      const double along = 2.0 * dot(row, reflection);
      if (along == 0.0) continue;
      for (std::size_t j = k + 1; j < n; ++j) row[j] -= along * reflection[j];
    }
  }
  return result;
}

/// Turns coordinates i and i + 1 by the rotation (c, s).
void rotate(DenseMatrix& basis, std::size_t i, double c, double s) {
  double* lower = basis.row(i).data();
  double* upper = basis.row(i + 1).data();
  for (std::size_t j = 0; j < basis.columns; ++j) {
    const double h = upper[j];
    upper[j] = s * lower[j] + c * h;
    lower[j] = c * lower[j] - s * h;
  }
}

/// One implicit QL step on coordinates l … m (EISPACK tql2, with Wilkinson's shift).
void ql_step(Tridiagonal& t, std::size_t l, std::size_t m) {
  std::vector<double>& d = t.diagonal;
  std::vector<double>& e = t.below;
  double g = (d[l + 1] - d[l]) / (2.0 * e[l]);
  double r = std::hypot(g, 1.0);
  g = d[m] - d[l] + e[l] / (g + std::copysign(r, g));
  double s = 1.0;
  double c = 1.0;
  double p = 0.0;
  for (std::size_t i = m; i-- > l;) {
    double f = s * e[i];
    const double b = c * e[i];
    r = std::hypot(f, g);
    e[i + 1] = r;
    if (r == 0.0) {
      d[i + 1] -= p;
      e[m] = 0.0;
      return;
    }
    s = f / r;
    c = g / r;
    g = d[i + 1] - p;
    r = (d[i] - g) * s + 2.0 * c * b;
    p = s * r;
    d[i + 1] = g + p;
    g = c * r - b;
    rotate(t.basis, i, c, s);
  }
  d[l] -= p;
  e[l] = g;
  e[m] = 0.0;
}

void diagonalise(Tridiagonal& t) {
  const std::size_t n = t.diagonal.size();
  double scale = 0.0;  // of the whole matrix: what is negligible against it is 0
  for (std::size_t i = 0; i < n; ++i) scale = std::max(scale, std::abs(t.diagonal[i]) + std::abs(t.below[i]));
  const double negligible = scale * std::numeric_limits<double>::epsilon();
  for (std::size_t l = 0; l < n; ++l) {
    for (int sweep = 0;; ++sweep) {
      heartbeat::beat();
      std::size_t m = l;
      while (m + 1 < n && std::abs(t.below[m]) > negligible) ++m;
      if (m == l) break;
      SOUK_EXPECT(sweep < sweeps_max);
      ql_step(t, l, m);
    }
  }
}

void fix_sign(std::span<double> vector) {
  const auto largest =
      std::max_element(vector.begin(), vector.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
  if (largest == vector.end() || *largest >= 0.0) return;
  for (double& value : vector) value = -value;
}

/// A v.
std::vector<double> product(const SymmetricMatrix& matrix, std::span<const double> v) {
  std::vector<double> result(v.size());
  const double* entry = matrix.lower.data();
  for (std::size_t i = 0; i < v.size(); ++i) {
    double sum = 0.0;
    for (std::size_t j = 0; j < i; ++j) {
      sum += *entry * v[j];
      result[j] += *entry++ * v[i];
    }
    result[i] += sum + *entry++ * v[i];
  }
  return result;
}

std::vector<double> random_unit_vector(std::size_t n) {
  Stream random(0, streams::eigenvector_start());
  std::vector<double> v(n);
  for (double& value : v) value = random.normal();
  const double norm = std::sqrt(dot(v, v));
  for (double& value : v) value /= norm;
  return v;
}

}  // namespace

SymmetricEigen symmetric_eigen(const SymmetricMatrix& matrix) {
  Tridiagonal t = tridiagonalise(matrix);
  diagonalise(t);
  const std::size_t n = matrix.order;
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return t.diagonal[a] > t.diagonal[b]; });
  SymmetricEigen result{std::vector<double>(n), DenseMatrix(n, n)};
  for (std::size_t k = 0; k < n; ++k) {
    result.values[k] = t.diagonal[order[k]];
    std::copy_n(t.basis.row(order[k]).begin(), n, result.vectors.row(k).begin());
    fix_sign(result.vectors.row(k));
  }
  return result;
}

TopEigen power_iteration(const SymmetricMatrix& matrix, double tolerance) {
  TopEigen top{0.0, random_unit_vector(matrix.order)};
  for (int step = 0; step < power_steps_max; ++step) {
    heartbeat::beat();
    std::vector<double> image = product(matrix, top.vector);
    top.value = dot(image, top.vector);
    double residual = 0.0;
    for (std::size_t i = 0; i < image.size(); ++i) residual += std::pow(image[i] - top.value * top.vector[i], 2);
    const double norm = std::sqrt(dot(image, image));
    if (norm == 0.0 || std::sqrt(residual) <= tolerance * top.value) break;
    for (std::size_t i = 0; i < image.size(); ++i) top.vector[i] = image[i] / norm;
  }
  fix_sign(top.vector);
  return top;
}

}  // namespace souk
