#include "agents/market/audit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "agents/market/least_squares.hpp"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

/// Of the Gram matrix of unit updates, whose entries are exact to about 1e-7: below this, eigenvalues are rounding.
constexpr double cutoff = 1e-6;
constexpr double likeness = 0.1;  // what differs from bought updates by less of its length counts as a copy of them
constexpr int refinements = 2;    // each gains what the Gram matrix is exact to

ColumnVector rest_of(const ColumnVector& step, const ColumnVector& explained) {
  ColumnVector rest = step;
  for (std::size_t c = 0; c < rest.values().size(); ++c) rest.values()[c] -= explained.values()[c];
  return rest;
}

/// Lengths 1, so that long updates do not hide short ones; rows of length 0 stay so.
SymmetricMatrix scaled_products(SymmetricMatrix products, std::span<const double> factors) {
  for (std::size_t i = 0; i < products.order; ++i) {
    for (std::size_t j = 0; j <= i; ++j) products(i, j) *= factors[i] * factors[j];
  }
  return products;
}

/// Least squares of the step on the updates, [n].
std::vector<double> coefficients_of(const Comm& comm, const ColumnMatrix& updates, const ColumnVector& step) {
  const std::size_t n = updates.rows();
  const SymmetricMatrix products = gram(comm, updates);
  std::vector<double> factors;
  for (std::size_t i = 0; i < n; ++i) factors.push_back(products(i, i) > 0.0 ? 1.0 / std::sqrt(products(i, i)) : 0.0);
  const PseudoInverse inverse(scaled_products(products, factors), cutoff);
  std::vector<double> coefficients(n, 0.0);
  for (int pass = 0; pass <= refinements; ++pass) {
    std::vector<double> along = dots(comm, updates, rest_of(step, combine(updates, coefficients)));
    for (std::size_t i = 0; i < n; ++i) along[i] *= factors[i];
    const std::vector<double> more = inverse.times(along);
    for (std::size_t i = 0; i < n; ++i) coefficients[i] += factors[i] * more[i];
  }
  return coefficients;
}

/// Scaled to sum to 1 where their sum is positive.
std::vector<double> shares_of_coefficients(std::vector<double> coefficients) {
  const double sum = std::accumulate(coefficients.begin(), coefficients.end(), 0.0);
  for (double& share : coefficients) share = sum > 0.0 ? share / sum : share;
  return coefficients;
}

/// Squared length of what these updates do not explain of the step.
double unexplained(const Comm& comm, const ColumnMatrix& updates, const ColumnVector& step) {
  if (updates.rows() == 0) return squared_norm(comm, updates.plan(), step);
  const ColumnVector explained = combine(updates, coefficients_of(comm, updates, step));
  return squared_norm(comm, updates.plan(), rest_of(step, explained));
}

}  // namespace

std::vector<double> shares_in_step(const Comm& comm, const ColumnMatrix& updates, const ColumnVector& step) {
  return shares_of_coefficients(coefficients_of(comm, updates, step));
}

std::vector<bool> used_without_payment(std::span<const double> shares, const std::vector<bool>& paid,
                                       double threshold) {
  SOUK_EXPECT(shares.size() == paid.size());
  std::vector<bool> used;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    used.push_back(!paid[i] && shares[i] >= threshold / static_cast<double>(shares.size()));
  }
  return used;
}

std::vector<bool> unpaid_use(const Comm& comm, const ColumnMatrix& updates, const ColumnVector& step,
                             const std::vector<bool>& paid, double threshold) {
  const std::vector<double> coefficients = coefficients_of(comm, updates, step);
  const std::vector<bool> used = used_without_payment(shares_of_coefficients(coefficients), paid, threshold);
  const std::vector<double> squares = squared_norms(comm, updates);
  double least = std::numeric_limits<double>::infinity();  // squared length of a part of the step that is suspected
  std::vector<std::size_t> bought;
  for (std::size_t i = 0; i < paid.size(); ++i) {
    if (used[i]) least = std::min(least, coefficients[i] * coefficients[i] * squares[i]);
    if (paid[i]) bought.push_back(i);
  }
  if (std::ranges::find(used, true) == used.end()) return used;
  const double left = unexplained(comm, updates.select(comm, bought), step);
  return left <= likeness * likeness * least ? std::vector<bool>(paid.size(), false) : used;
}

}  // namespace souk
