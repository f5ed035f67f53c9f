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

/// Where part `part` of `parts` begins when `total` is cut into parts that differ by at most one.
std::size_t even_cut(std::size_t total, std::size_t parts, std::size_t part);

/// Gives samples[even_cut(i) .. even_cut(i + 1)) to agent i.
void give_evenly(std::span<const SampleIndex> samples, std::size_t agents, std::span<std::uint32_t> owner);

}  // namespace souk
