#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace souk {

class Stream;

/// Gap(k) and s_k for k = 1 … K; entry k - 1 is that of k clusters.
struct GapStatistic {
  std::vector<double> gaps;    ///< infinite where k clusters fit the values exactly
  std::vector<double> errors;  ///< s_k = sd_k sqrt(1 + 1/B)
};

/// Tibshirani, Walther, Hastie, "Estimating the number of clusters in a data set via the gap statistic", JRSS B 2001,
/// section 3, of values in one dimension with exact k-means: mean over B sets of n uniform values in [min, max] of
/// log W*_k, minus log W_k. K is k_max, or less: at most n - 1 clusters, at most as many as there are distinct values,
/// at least 1. At least one value, B = `references` >= 1.
GapStatistic gap_statistic(std::span<const double> values, std::size_t k_max, std::size_t references, Stream& random);

/// The paper's choice: the smallest k with Gap(k) >= Gap(k + 1) - s_(k + 1); K if there is none.
std::size_t first_by_gap(const GapStatistic& statistic);

/// The smallest k with the largest gap.
std::size_t largest_by_gap(const GapStatistic& statistic);

}  // namespace souk
