#include "sim/stats/summary.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "sim/stats/student_t.hpp"

namespace souk {
namespace {

/// Not quantile 0.5, which interpolates: of infinities that makes NaN.
double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return 0.5 * (*middle + *std::max_element(values.begin(), middle));
}

}  // namespace

Summary summarise(std::span<const double> values) {
  const double none = std::nan("");
  if (values.empty()) return {0, none, none, none, none, none, none};
  const auto n = static_cast<double>(values.size());
  double sum = 0.0;
  for (const double value : values) sum += value;
  const double mean = sum / n;
  double squares = 0.0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double deviation = values.size() > 1 ? std::sqrt(squares / (n - 1.0)) : none;
  const double ci95 = values.size() > 1 ? student_t_quantile(0.975, n - 1.0) * deviation / std::sqrt(n) : none;
  const auto [min, max] = std::ranges::minmax(values);
  return {values.size(), mean, deviation, ci95, median_of({values.begin(), values.end()}), min, max};
}

}  // namespace souk
