#pragma once

#include <cstddef>
#include <cstdint>

#include "analysis/database.hpp"

namespace souk {

/// Sums up the pairs of the run that is attached as `source`, in the view's pair_curve and pair_rank: for each attack
/// its ROC and precision-recall curve, and how many edges and other pairs lie in each part of the ranking. Pairs
/// without a score are the lowest.
void summarise_pairs(Database& view, std::int64_t run);

/// Most points of a curve; equal parts by the ranks of scores. Pairs of one score lie in the part of their mean rank.
inline constexpr std::size_t most_curve_points = 200;
inline constexpr std::size_t rank_parts = 20;

}  // namespace souk
