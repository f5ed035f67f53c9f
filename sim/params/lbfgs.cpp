#include "sim/params/lbfgs.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

constexpr double negligible = 1e-13;  // a pivot this small against the largest entry is 0

/// x with A x = b by Gaussian elimination with partial pivoting; nothing where A is singular.
std::optional<std::vector<double>> solve(DenseMatrix a, std::vector<double> b) {
  const std::size_t n = a.rows;
  double largest = 0.0;
  for (const double value : a.values) largest = std::max(largest, std::abs(value));
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k + 1; i < n; ++i) {
      if (std::abs(a(i, k)) > std::abs(a(pivot, k))) pivot = i;
    }
    if (!(std::abs(a(pivot, k)) > negligible * largest)) return std::nullopt;
    std::swap_ranges(a.row(k).begin(), a.row(k).end(), a.row(pivot).begin());
    std::swap(b[k], b[pivot]);
    for (std::size_t i = k + 1; i < n; ++i) {
      const double factor = a(i, k) / a(k, k);
      for (std::size_t j = k; j < n; ++j) a(i, j) -= factor * a(k, j);
      b[i] -= factor * b[k];
    }
  }
  for (std::size_t k = n; k-- > 0;) {
    for (std::size_t j = k + 1; j < n; ++j) b[k] -= a(k, j) * b[j];
    b[k] /= a(k, k);
  }
  return b;
}

/// The product from these pairs alone. Pairs are divided by |s_i|, which leaves B as it is and the equations balanced.
std::optional<LbfgsProduct> product_from(std::span<const std::size_t> pairs, const DenseMatrix& ss,
                                         const DenseMatrix& sy, std::span<const double> sv,
                                         std::span<const double> yv) {
  const std::size_t n = pairs.size();
  const std::size_t newest = pairs.back();
  const double sigma = sy(newest, newest) / ss(newest, newest);
  std::vector<double> lengths;
  for (const std::size_t pair : pairs) lengths.push_back(std::sqrt(ss(pair, pair)));

  DenseMatrix middle(2 * n, 2 * n);  // [sigma S^T S, L; L^T, -D]
  std::vector<double> right(2 * n);  // [sigma S^T v; Y^T v]
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      const double scale = lengths[i] * lengths[j];
      middle(i, j) = sigma * ss(pairs[i], pairs[j]) / scale;
      if (i > j) middle(i, n + j) = middle(n + j, i) = sy(pairs[i], pairs[j]) / scale;
    }
    middle(n + i, n + i) = -sy(pairs[i], pairs[i]) / (lengths[i] * lengths[i]);
    right[i] = sigma * sv[pairs[i]] / lengths[i];
    right[n + i] = yv[pairs[i]] / lengths[i];
  }
  const std::optional<std::vector<double>> solved = solve(std::move(middle), std::move(right));
  if (!solved) return std::nullopt;

  LbfgsProduct product{sigma, std::vector<double>(sv.size()), std::vector<double>(yv.size())};
  for (std::size_t i = 0; i < n; ++i) {
    product.s[pairs[i]] = -sigma * (*solved)[i] / lengths[i];
    product.y[pairs[i]] = -(*solved)[n + i] / lengths[i];
  }
  return product;
}

}  // namespace

LbfgsProduct lbfgs_product(const DenseMatrix& ss, const DenseMatrix& sy, std::span<const double> sv,
                           std::span<const double> yv) {
  SOUK_EXPECT(ss.rows == sv.size() && sy.rows == sv.size() && yv.size() == sv.size());
  std::vector<std::size_t> pairs;
  for (std::size_t i = 0; i < sv.size(); ++i) {
    if (ss(i, i) > 0.0) pairs.push_back(i);
  }
  for (; !pairs.empty(); pairs.erase(pairs.begin())) {
    if (std::optional<LbfgsProduct> product = product_from(pairs, ss, sy, sv, yv)) return *std::move(product);
  }
  return {0.0, std::vector<double>(sv.size()), std::vector<double>(sv.size())};
}

}  // namespace souk
