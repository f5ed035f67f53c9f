#pragma once

#include <span>
#include <utility>
#include <vector>

#include "attacks/edge_attack.hpp"
#include "sim/base/random.hpp"

namespace souk {

using NodePair = std::pair<NodeIndex, NodeIndex>;  ///< the smaller node first

/// Pairs of which an attacker knows whether they are edges; none of them is asked about.
struct KnownPairs {
  std::vector<NodePair> edges, others;
};

/// This share of all secret edges, or all that are not asked about where these are fewer, and as many pairs that are
/// none.
KnownPairs known_pairs(const Graph& graph, double share, std::span<const EdgeQuestion> questions, Stream& draws);

}  // namespace souk
