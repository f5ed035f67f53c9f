#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace souk {

/// The label of a point that belongs to no cluster.
inline constexpr std::size_t noise = std::numeric_limits<std::size_t>::max();

/// The same partition with clusters numbered by their first members: whatever numbered them before, equal partitions
/// become equal labels. Labels may be any numbers; noise
/// stays noise.
std::vector<std::size_t> numbered_by_first_member(std::span<const std::size_t> labels);

/// How many rows have each label, [largest label + 1]; no label is noise.
std::vector<std::size_t> cluster_sizes(std::span<const std::size_t> labels);

}  // namespace souk
