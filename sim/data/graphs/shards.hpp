#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/data/graphs/graph.hpp"

namespace souk {

/// Most nodes that one of `shards` shards of `nodes` nodes may have: n/k + slack (n - n/k), rounded up. GraphEraser's
/// delta, Chen et al., "Graph Unlearning", CCS 2022.
std::size_t shard_capacity(std::size_t nodes, std::size_t shards, double slack);

/// Edges between some nodes alone, which are numbered anew in the order given.
class InducedEdges {
 public:
  /// `edges`: both directions. Contract: no node twice.
  InducedEdges(const SparseRows& edges, std::span<const NodeIndex> nodes);
  SparseRows rows() const {
    return {.offsets = offsets_, .columns = columns_, .values = {}, .width = offsets_.size() - 1};
  }

 private:
  std::vector<std::uint64_t> offsets_{0};
  std::vector<std::uint32_t> columns_;
};

/// GraphEraser's balanced label propagation (BLPA): shard of every node. Nodes are dealt evenly in random order; in
/// each pass each wants the shard in which most of its neighbours were before the pass, ties at random, and a node
/// without neighbours its own. Those who want to move do so in descending order of the neighbours that they have there;
/// where it is full they wait, and the first who waits takes a place that is left. Ends after a pass in which nobody
/// moves. `edges`: both directions, without loops. Contract: capacity times shards is at least the number of nodes.
/// O(edges + nodes log nodes) a pass.
std::vector<std::uint32_t> balanced_label_propagation(const SparseRows& edges, std::size_t shards, std::size_t capacity,
                                                      std::size_t passes, Stream& random);

/// GraphEraser's balanced k-means (BEKM): shard of every point, [points]. Centroids begin at as many points, drawn
/// without repetition; in each pass pairs of point and centroid are gone through by ascending squared distance, ties by
/// point and then shard, and a point that has none yet goes to a shard that has room. A shard that nobody is in keeps
/// its centroid. Ends after a pass that moves no centroid. `points`: [points, width]. Contract: shards is at most
/// the number of points, capacity times shards at least. O(points shards (width + log)) a pass.
std::vector<std::uint32_t> balanced_means(std::span<const float> points, std::size_t width, std::size_t shards,
                                          std::size_t capacity, std::size_t passes, Stream& random);

}  // namespace souk
