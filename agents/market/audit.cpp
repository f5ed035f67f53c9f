#include "agents/market/audit.hpp"

#include <cmath>
#include <numeric>

#include "agents/market/least_squares.hpp"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

/// Of the Gram matrix of unit updates, whose entries are exact to about 1e-7: below this, eigenvalues are rounding.
constexpr double cutoff = 1e-6;
constexpr int refinements = 3;  // each gains what the Gram matrix is exact to

ColumnVector rest_of(const ColumnVector& step, const ColumnVector& explained) {
  ColumnVector rest = step;
  for (std::size_t c = 0; c < rest.values().size(); ++c) rest.values()[c] -= explained.values()[c];
  return rest;
}

/// Lengths 1, so that long updates do not hide short ones; rows of length 0 stay so.
SymmetricMatrix scaled(SymmetricMatrix products, std::span<const double> factors) {
  for (std::size_t i = 0; i < products.order; ++i) {
    for (std::size_t j = 0; j <= i; ++j) products.lower[i * (i + 1) / 2 + j] *= factors[i] * factors[j];
  }
  return products;
}

}  // namespace

std::vector<double> shares_in_step(const Comm& comm, const ColumnMatrix& updates, const ColumnVector& step) {
  const std::size_t n = updates.rows();
  const SymmetricMatrix products = gram(comm, updates);
  std::vector<double> factors;
  for (std::size_t i = 0; i < n; ++i) factors.push_back(products(i, i) > 0.0 ? 1.0 / std::sqrt(products(i, i)) : 0.0);
  const PseudoInverse inverse(scaled(products, factors), cutoff);
  std::vector<double> shares(n, 0.0);
  for (int pass = 0; pass <= refinements; ++pass) {
    std::vector<double> along = dots(comm, updates, rest_of(step, combine(updates, shares)));
    for (std::size_t i = 0; i < n; ++i) along[i] *= factors[i];
    const std::vector<double> more = inverse.times(along);
    for (std::size_t i = 0; i < n; ++i) shares[i] += factors[i] * more[i];
  }
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share = sum > 0.0 ? share / sum : share;
  return shares;
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

}  // namespace souk
