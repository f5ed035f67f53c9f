#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "sim/data/graphs/graph.hpp"

namespace souk {

/// An edge by its ends, the smaller number first.
using EdgeEnds = std::pair<NodeIndex, NodeIndex>;

/// What is cut out of a graph. All lists ascend, without duplicates.
struct GraphReduction {
  std::vector<NodeIndex> nodes;     ///< lose their edges and features, and keep their numbers
  std::vector<EdgeEnds> edges;      ///< are there no more
  std::vector<NodeIndex> features;  ///< nodes whose features are zero
  bool empty() const { return nodes.empty() && edges.empty() && features.empty(); }
  bool operator==(const GraphReduction&) const = default;
};

/// A graph without some of its parts: edges and features of its own, everything else as the original has it, which must
/// outlive it.
class ReducedGraph {
 public:
  /// Contract: nodes and edges are the graph's.
  ReducedGraph(const Graph& from, const GraphReduction& without);
  ReducedGraph(ReducedGraph&&) = default;
  ReducedGraph& operator=(ReducedGraph&&) = default;
  Graph graph() const;
  /// Bytes that it takes beside the original.
  double bytes() const;

 private:
  Graph from_;
  std::vector<std::uint64_t> edge_offsets_, feature_offsets_;
  std::vector<std::uint32_t> edge_columns_, feature_columns_;
  std::vector<float> feature_values_;
  bool other_features_;
};

/// The edges of a graph, each once, ascending.
std::vector<EdgeEnds> edges_of(const Graph& graph);

/// Nodes up to so many hops away from some of them, themselves among them; ascending. `from` ascends.
std::vector<NodeIndex> nodes_within(const Graph& graph, std::span<const NodeIndex> from, std::size_t hops);

}  // namespace souk
