#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "sim/base/random.hpp"

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

/// The same of any statistic, of clusters (lists, nodes) that are drawn with replacement, as many as there are, because
/// what lies in one is not independent. `statistic` gets the drawn clusters by number, in the order of the draws; draws
/// of which it knows no number (NaN) are left out. NaN for fewer than two clusters, or where no draw has a number.
/// Contract: resamples >= 1.
Interval bootstrap_of_clusters(std::uint32_t clusters, std::uint32_t resamples, Stream& random,
                               const std::function<double(std::span<const std::uint32_t> drawn)>& statistic);

}  // namespace souk
