#pragma once

#include <cstddef>
#include <vector>

#include "sim/params/linear.hpp"

namespace souk {

/// The distance of two clusters: mean, largest or smallest distance of their points.
enum class Linkage { average, complete, single };

/// Hierarchical clustering of a distance matrix [n, n] into k clusters (Lance and Williams, The Computer Journal 1967):
/// the two nearest clusters are merged until k are left. Ties go to the pair whose first members have the smallest
/// indices. Clusters are numbered by their first members. 1 <= k <= n; n^3 / 6 comparisons.
std::vector<std::size_t> agglomerative(const SymmetricMatrix& distances, std::size_t k, Linkage linkage);

}  // namespace souk
