#include "sim/stats/order_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "sim/base/contract.hpp"

namespace souk {

double quantile(std::span<const double> values, double q) {
  SOUK_EXPECT(!values.empty() && q >= 0.0 && q <= 1.0);
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const double place = q * static_cast<double>(sorted.size() - 1);
  const std::size_t below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double t = place - static_cast<double>(below);
  const double step = sorted[above] - sorted[below];
  return t < 0.5 ? sorted[below] + step * t : sorted[above] - step * (1.0 - t);
}

double median(std::span<const double> values) { return quantile(values, 0.5); }

double median_absolute_deviation(std::span<const double> values) {
  const double middle = median(values);
  std::vector<double> deviations;
  for (const double value : values) deviations.push_back(std::abs(value - middle));
  return median(deviations);
}

}  // namespace souk
