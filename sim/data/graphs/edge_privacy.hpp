#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/data/graphs/graph_file.hpp"

namespace souk {

/// Noise on the edges of a graph that is differentially private for single edges: with one edge more or less no noisy
/// graph is more than exp(epsilon) times as probable.
class EdgePrivacy {
 public:
  virtual ~EdgePrivacy() = default;
  /// The noisy edges of a graph of so many nodes. Edges are given, and come out, as pairs with the smaller node first,
  /// ascending, each once. Throws InputError where they would be too many to be drawn.
  virtual std::vector<Edge> perturb(std::size_t nodes, std::span<const Edge> edges, Stream& random) const = 0;
};

/// What `edge_privacy` chooses; null: nothing.
std::unique_ptr<EdgePrivacy> make_edge_privacy(const scenario::GraphNodes& nodes);

/// Puts noise on a graph's edges and keeps the true ones beside them. Where the graph is several that no edge joins
/// (`graph_ends` as GraphFile has it), each is perturbed by itself, with a stream of its own.
void perturb_edges(const EdgePrivacy& privacy, const std::vector<std::size_t>& graph_ends, std::uint64_t seed,
                   StoredGraph& graph);

}  // namespace souk
