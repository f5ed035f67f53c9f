#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "attacks/edge_attack.hpp"
#include "sim/data/graphs/graph.hpp"

namespace souk {

/// What an attack is asked, and how its answers are counted.
struct AskedPairs {
  enum class Kind : std::uint8_t {
    lists,     ///< one of each target: counted together, and list by list
    all,       ///< of some nodes, every pair in both directions
    balanced,  ///< every pair once
  } kind = Kind::lists;
  std::vector<EdgeQuestion> questions;
  std::size_t left_out = 0;  ///< targets of whose lists nothing is left but neighbours, or no neighbour
};

/// The pairs that the attack with this number is asked about, by the true edges. Drawn by the seed, the same on every
/// rank. Throws InputError where no node or no edge qualifies.
AskedPairs asked_pairs(const scenario::EdgeInference& config, const Graph& graph, std::uint64_t seed,
                       std::size_t attack);

/// Whether two nodes are truly neighbours.
bool is_edge(const Graph& graph, NodeIndex a, NodeIndex b);

/// Number of true neighbours.
std::size_t true_degree(const Graph& graph, NodeIndex node);

}  // namespace souk
