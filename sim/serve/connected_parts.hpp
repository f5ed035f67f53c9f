#pragma once

#include <cstdint>
#include <vector>

#include "sim/data/graphs/graph.hpp"

namespace souk {

/// The connected parts of a graph, in the order of their first nodes.
struct ConnectedParts {
  std::vector<std::vector<NodeIndex>> nodes;  ///< [parts] ascending
  std::vector<std::uint32_t> part, place;     ///< [nodes of the graph] which part, and where in it
};

ConnectedParts connected_parts(const Graph& graph);

}  // namespace souk
