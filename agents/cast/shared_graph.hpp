#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "agents/cast/cutter.hpp"
#include "sim/comm/comm.hpp"
#include "sim/data/graphs/graph_file.hpp"

namespace souk {

/// The parts of a graph in memory that the ranks of a node share.
struct GraphBuffers {
  std::span<std::uint64_t> edge_offsets, true_edge_offsets, feature_offsets;
  std::span<NodeIndex> neighbours, true_neighbours, train_nodes, test_nodes, validation_nodes;
  std::span<std::uint32_t> feature_columns;
  std::span<float> feature_values;
  std::span<std::int32_t> labels;

  void copy(const StoredGraph& graph) const;
  Graph view(const GraphShape& shape) const;
};

/// Cuts a graph with so many training and test nodes; nothing where it has no nodes.
GraphBuffers cut_graph(Cutter& cutter, const GraphShape& shape, std::size_t trained, std::size_t tested);

/// The node's first rank has the graph, or null; all learn how large it is. No nodes: there is none. Collective.
GraphShape share_shape(const Comm& node, const StoredGraph* graph);

}  // namespace souk
