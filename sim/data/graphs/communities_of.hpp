#pragma once

#include <cstdint>
#include <vector>

#include "sim/data/graphs/graph.hpp"

namespace souk {

/// Louvain's communities of a graph (Blondel et al., J. Stat. Mech. 2008): community of every node, numbered from 0 by
/// their smallest node. Nodes are visited in ascending order, and go to the community that adds most modularity, ties
/// to the smaller; so the result depends on the graph alone. `edges`: both directions, without loops. O(edges) a pass.
std::vector<std::uint32_t> louvain_communities(const SparseRows& edges, double resolution);

/// Newman's modularity of communities: sum over them of inside / 2m - resolution (degrees / 2m)², m edges.
double modularity(const SparseRows& edges, const std::vector<std::uint32_t>& community, double resolution);

}  // namespace souk
