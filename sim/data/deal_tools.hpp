#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "sim/data/partitioner.hpp"

namespace souk {

/// Owner of a sample that no agent holds.
inline constexpr std::uint32_t no_owner = std::numeric_limits<std::uint32_t>::max();

/// The deal in which owner[s] holds sample s; samples of an agent come out ascending. O(samples + agents).
Deal deal_by_owner(std::span<const std::uint32_t> owner, std::size_t agents);

/// 0, 1, …, n - 1 in random order.
std::vector<SampleIndex> random_order(std::size_t n, Stream& random);

/// Samples of every class, each class in random order.
std::vector<std::vector<SampleIndex>> shuffled_classes(const DealInput& input, Stream& random);

/// All samples, class after class, each class in random order.
std::vector<SampleIndex> sorted_by_class(const DealInput& input, Stream& random);

/// Cuts `total` into shares.size() whole parts in proportion to the shares (not negative, not all zero): each part is
/// rounded down or up, the largest remainders up (ties: smaller index). Adds up to `total`.
std::vector<std::size_t> apportion(std::size_t total, std::span<const double> shares);

/// As apportion, but no part is larger than its room: what it lacks is apportioned in the same way among the other
/// parts with a share, and where these are full too (or all shares are 0), in proportion to the room left. The rooms
/// must add up to `total` at least.
std::vector<std::size_t> apportion_within(std::size_t total, std::span<const double> shares,
                                          std::span<const std::size_t> room);

/// How many classes make up the first half of them: the larger half where their number is odd.
constexpr std::int32_t first_half(std::int32_t classes) { return classes - classes / 2; }

/// Where part `part` of `parts` begins when `total` is cut into parts that differ by at most one.
std::size_t even_cut(std::size_t total, std::size_t parts, std::size_t part);

/// Gives samples[even_cut(i) .. even_cut(i + 1)) to agent i.
void give_evenly(std::span<const SampleIndex> samples, std::size_t agents, std::span<std::uint32_t> owner);

}  // namespace souk
