#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace souk {

/// Who an agent is, in every file, message and stream. Never a rank.
struct AgentId {
  std::uint32_t value = 0;
  auto operator<=>(const AgentId&) const = default;
};

/// The owner of streams that belong to no agent: the server, the data set, the world.
inline constexpr AgentId nobody{0xFFFFFFFF};

/// A communication round, from 1. Round 0 is the state before the first.
struct RoundIndex {
  std::uint32_t value = 0;
  auto operator<=>(const RoundIndex&) const = default;
};

/// A sample's position in its data set.
using SampleIndex = std::uint32_t;

/// Rows [begin, end) of a matrix or a data set.
struct RowRange {
  std::size_t begin = 0, end = 0;
};

}  // namespace souk
