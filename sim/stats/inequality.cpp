#include "sim/stats/inequality.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sim/base/contract.hpp"

namespace souk {

double lorenz(const std::vector<double>& amounts, double part) {
  const double sum = std::accumulate(amounts.begin(), amounts.end(), 0.0);
  SOUK_EXPECT(sum > 0.0 && amounts.front() >= 0.0 && std::is_sorted(amounts.begin(), amounts.end()));
  const double place = part * static_cast<double>(amounts.size());
  const auto whole = std::min(static_cast<std::size_t>(place), amounts.size());
  double held = std::accumulate(amounts.begin(), amounts.begin() + static_cast<std::ptrdiff_t>(whole), 0.0);
  if (whole < amounts.size()) held += (place - static_cast<double>(whole)) * amounts[whole];
  return held / sum;
}

double gini(const std::vector<double>& amounts) {
  const double sum = std::accumulate(amounts.begin(), amounts.end(), 0.0);
  SOUK_EXPECT(sum > 0.0 && amounts.front() >= 0.0 && std::is_sorted(amounts.begin(), amounts.end()));
  const auto n = static_cast<double>(amounts.size());
  double weighted = 0.0;
  for (std::size_t i = 0; i < amounts.size(); ++i)
    weighted += (2.0 * static_cast<double>(i + 1) - n - 1.0) * amounts[i];
  return weighted / (n * sum);
}

double jain(const std::vector<double>& amounts) {
  double sum = 0.0, squares = 0.0;
  for (const double amount : amounts) {
    sum += amount;
    squares += amount * amount;
  }
  SOUK_EXPECT(sum > 0.0);
  return sum * sum / (static_cast<double>(amounts.size()) * squares);
}

double entropy(const std::vector<double>& amounts) {
  const double sum = std::accumulate(amounts.begin(), amounts.end(), 0.0);
  SOUK_EXPECT(sum > 0.0);
  double total = 0.0;
  for (const double amount : amounts) {
    if (amount > 0.0) total -= amount / sum * std::log(amount / sum);
  }
  return total;
}

}  // namespace souk
