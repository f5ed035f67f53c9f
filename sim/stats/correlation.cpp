#include "sim/stats/correlation.hpp"

#include <algorithm>
#include <cmath>

#include "sim/base/contract.hpp"
#include "sim/stats/ranks.hpp"

namespace souk {

std::optional<double> pearson(std::span<const double> x, std::span<const double> y) {
  SOUK_EXPECT(x.size() == y.size());
  RunningCorrelation correlation;
  for (std::size_t i = 0; i < x.size(); ++i) correlation.add(x[i], y[i]);
  return correlation.value();
}

std::optional<double> spearman(std::span<const double> x, std::span<const double> y) {
  return pearson(average_ranks(x, 0.0), average_ranks(y, 0.0));
}

void RunningCorrelation::add(double x, double y) {
  pairs += 1.0;
  const double from_mean_x = x - mean_x, from_mean_y = y - mean_y;
  mean_x += from_mean_x / pairs;
  mean_y += from_mean_y / pairs;
  squares_x += from_mean_x * (x - mean_x);
  squares_y += from_mean_y * (y - mean_y);
  products += from_mean_x * (y - mean_y);
}

std::optional<double> RunningCorrelation::value() const {
  if (pairs < 2.0 || !(squares_x > 0.0) || !(squares_y > 0.0)) return std::nullopt;
  return std::clamp(products / (std::sqrt(squares_x) * std::sqrt(squares_y)), -1.0, 1.0);
}

void RunningMoments::add(double value) {
  count += 1.0;
  const double from_mean = value - mean;
  mean += from_mean / count;
  squares += from_mean * (value - mean);
}

double RunningMoments::variance() const {
  SOUK_EXPECT(count > 0.0);
  return squares / count;
}

}  // namespace souk
