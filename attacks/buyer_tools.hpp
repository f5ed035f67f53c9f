#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "attacks/buyer_attack.hpp"

namespace souk {

/// The row of a seller's update; none where it did not deliver.
std::optional<std::size_t> row_of(const BaselineView& view, AgentId seller);

/// Independent standard normal numbers, [d], the same for any number of ranks. Takes numbers from the view's stream.
ColumnVector normal_noise(const BaselineView& view);

/// [classes] whether each is listed. Throws InputError naming `field` where there is no such class.
std::vector<bool> marked_classes(std::string_view field, std::span<const std::uint32_t> listed, int classes);

/// [classes] those of part `part` when the classes, in order, are cut into `parts` parts alike, the earlier ones
/// larger. Contract: part < parts <= classes.
std::vector<bool> part_of_classes(int classes, std::uint64_t parts, std::uint64_t part);

/// [classes] the first half, rounded up.
std::vector<bool> first_half_of_classes(int classes);

}  // namespace souk
