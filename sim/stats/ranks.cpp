#include "sim/stats/ranks.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace souk {

double rounding_of(std::span<const double> values) {
  double largest = 0.0;
  for (const double value : values) {
    if (std::isfinite(value)) largest = std::max(largest, std::fabs(value));
  }
  return 1e-9 * largest;
}

std::vector<double> average_ranks(std::span<const double> values, double rounding) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return values[i]; });
  std::vector<double> ranks(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first + 1;
    const double smallest = values[order[first]];
    while (last < order.size() && values[order[last]] <= smallest + rounding) ++last;
    const double shared = 0.5 * static_cast<double>(first + 1 + last);
    for (; first < last; ++first) ranks[order[first]] = shared;
  }
  return ranks;
}

}  // namespace souk
