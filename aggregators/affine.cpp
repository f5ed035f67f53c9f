#include "aggregators/affine.hpp"

#include <algorithm>
#include <limits>

#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"
#include "sim/params/dot.hpp"

namespace souk {
namespace {

std::vector<double> times(const SymmetricMatrix& matrix, std::span<const double> c) {
  SOUK_EXPECT(c.size() == matrix.order);
  std::vector<double> product(matrix.order, 0.0);
  const double* entry = matrix.lower.data();
  heartbeat::beat();
  for (std::size_t i = 0; i < matrix.order; ++i) {
    for (std::size_t j = 0; j < i; ++j, ++entry) {
      product[i] += *entry * c[j];
      product[j] += *entry * c[i];
    }
    product[i] += *entry++ * c[i];
  }
  return product;
}

}  // namespace

std::vector<double> squared_distances_to_mean(const SymmetricMatrix& squared_distances, std::span<const double> c) {
  std::vector<double> result = times(squared_distances, c);
  const double half = 0.5 * dot(result, c);
  for (double& value : result) value = std::max(0.0, value - half);
  return result;
}

Center most_central(const SymmetricMatrix& squared_distances) {
  const std::size_t n = squared_distances.order;
  Center center{0, std::numeric_limits<double>::infinity()};
  std::vector<double> row(n);
  for (std::size_t i = 0; i < n; ++i) {
    heartbeat::beat();
    for (std::size_t j = 0; j < n; ++j) row[j] = squared_distances(i, j);
    const auto middle = row.begin() + static_cast<std::ptrdiff_t>(n / 2);
    std::nth_element(row.begin(), middle, row.end());
    if (*middle < center.typical) center = {i, *middle};
  }
  return center;
}

bool coefficients_suffice(const SymmetricMatrix& squared_distances) {
  const Center center = most_central(squared_distances);
  for (std::size_t i = 0; i < squared_distances.order; ++i) {
    if (!(squared_distances(center.point, i) <= 1e16 * center.typical)) return false;
  }
  return true;
}

SymmetricMatrix gram_about_mean(const SymmetricMatrix& squared_distances, std::span<const double> c) {
  const std::vector<double> to_points = times(squared_distances, c);
  const double all = dot(to_points, c);
  SymmetricMatrix gram{squared_distances.order, {}};
  for (std::size_t i = 0; i < gram.order; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      gram.lower.push_back(-0.5 * (squared_distances(i, j) - to_points[i] - to_points[j] + all));
    }
  }
  return gram;
}

SymmetricMatrix among(const SymmetricMatrix& squared_distances, std::span<const std::size_t> rows) {
  SymmetricMatrix some{rows.size(), {}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j <= i; ++j) some.lower.push_back(squared_distances(rows[i], rows[j]));
  }
  return some;
}

}  // namespace souk
