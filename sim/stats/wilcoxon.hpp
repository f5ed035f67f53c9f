#pragma once

#include <cstddef>
#include <span>

namespace souk {

/// The Wilcoxon signed-rank test (Wilcoxon, 1945) of differences that are symmetric about 0.
struct Wilcoxon {
  std::size_t count = 0;     ///< differences other than 0
  double positive_sum = 0.;  ///< of the ranks of |difference| over the positive ones
  double p = 1.0;            ///< two-sided
  bool exact = true;         ///< from the distribution over all 2^count signs; else the normal approximation
};

/// Differences of 0 are left out, equal ones share the mean of their ranks; `rounding` is how far apart equal ones may
/// be (rounding_of the values that were subtracted). Up to 25 others p is exact given these ranks: twice the smaller
/// tail, the observed sum in both. Above, the normal approximation with the variance corrected for ties and a
/// continuity correction of 1/2. Without any difference, p = 1.
Wilcoxon wilcoxon_signed_rank(std::span<const double> differences, double rounding);

}  // namespace souk
