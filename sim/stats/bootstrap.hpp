#pragma once

#include <span>

namespace souk {

struct Interval {
  double low, high;
};

/// Resamples drawn by bootstrap_of_mean.
inline constexpr int bootstrap_resamples = 10000;

/// 95 % percentile bootstrap interval of the mean (Efron, 1979): values are drawn with replacement, as many as there
/// are, bootstrap_resamples times from one fixed stream; the interval leaves out 2.5 % of the means at each end. Of
/// paired differences it is the paired bootstrap. NaN for fewer than two
/// values, of which nothing can be said.
Interval bootstrap_of_mean(std::span<const double> values);

}  // namespace souk
