#include "sim/learn/curvature/double_vectors.hpp"

#include <cmath>
#include <cstddef>

#include "sim/base/multiversion.hpp"

namespace souk::vectors {
namespace {

// As many sums as the units take at once, since each waits for the one before it.
SOUK_MULTIVERSION double sum_of_products(const double* a, const double* b, std::size_t size) {
  constexpr std::size_t lanes = 32;
  double partial[lanes] = {};
  std::size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    for (std::size_t lane = 0; lane < lanes; ++lane) partial[lane] += a[i + lane] * b[i + lane];
  }
  for (std::size_t lane = 0; i < size; ++i, ++lane) partial[lane] += a[i] * b[i];
  double total = 0.0;
  for (const double value : partial) total += value;
  return total;
}

}  // namespace

double dot(std::span<const double> a, std::span<const double> b) {
  return sum_of_products(a.data(), b.data(), a.size());
}

double norm(std::span<const double> values) { return std::sqrt(dot(values, values)); }

void add(double alpha, std::span<const double> x, std::span<double> y) {
  for (std::size_t i = 0; i < x.size(); ++i) y[i] += alpha * x[i];
}

}  // namespace souk::vectors
