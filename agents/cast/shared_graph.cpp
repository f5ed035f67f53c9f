#include "agents/cast/shared_graph.hpp"

#include <algorithm>
#include <vector>

namespace souk {

void GraphBuffers::copy(const StoredGraph& graph) const {
  std::ranges::copy(graph.edge_offsets, edge_offsets.begin());
  std::ranges::copy(graph.neighbours, neighbours.begin());
  std::ranges::copy(graph.true_edge_offsets, true_edge_offsets.begin());
  std::ranges::copy(graph.true_neighbours, true_neighbours.begin());
  std::ranges::copy(graph.features.offsets, feature_offsets.begin());
  std::ranges::copy(graph.features.columns, feature_columns.begin());
  std::ranges::copy(graph.features.values, feature_values.begin());
  std::ranges::copy(graph.train_nodes, train_nodes.begin());
  std::ranges::copy(graph.test_nodes, test_nodes.begin());
  std::ranges::copy(graph.validation_nodes, validation_nodes.begin());
  std::ranges::copy(graph.labels, labels.begin());
}

Graph GraphBuffers::view(const GraphShape& shape) const {
  return {.edges = {.offsets = edge_offsets, .columns = neighbours, .values = {}, .width = shape.nodes},
          .true_edges = {.offsets = true_edge_offsets, .columns = true_neighbours, .values = {}, .width = shape.nodes},
          .features = {.offsets = feature_offsets,
                       .columns = feature_columns,
                       .values = feature_values,
                       .width = shape.features},
          .train_nodes = train_nodes,
          .test_nodes = test_nodes,
          .validation_nodes = validation_nodes,
          .labels = labels,
          .own_nodes = shape.own_nodes};
}

GraphBuffers cut_graph(Cutter& cutter, const GraphShape& shape, std::size_t trained, std::size_t tested) {
  GraphBuffers buffers;
  if (shape.nodes == 0) return buffers;
  buffers.edge_offsets = cutter.cut<std::uint64_t>(shape.nodes + 1);
  buffers.neighbours = cutter.cut<NodeIndex>(shape.edge_entries);
  if (shape.noisy_edges) buffers.true_edge_offsets = cutter.cut<std::uint64_t>(shape.nodes + 1);
  buffers.true_neighbours = cutter.cut<NodeIndex>(shape.true_edge_entries);
  buffers.feature_offsets = cutter.cut<std::uint64_t>(shape.nodes + 1);
  buffers.feature_columns = cutter.cut<std::uint32_t>(shape.feature_entries);
  if (shape.weighted_features) buffers.feature_values = cutter.cut<float>(shape.feature_entries);
  buffers.train_nodes = cutter.cut<NodeIndex>(trained);
  buffers.test_nodes = cutter.cut<NodeIndex>(tested);
  buffers.validation_nodes = cutter.cut<NodeIndex>(shape.validation_nodes);
  buffers.labels = cutter.cut<std::int32_t>(shape.nodes);
  return buffers;
}

GraphShape share_shape(const Comm& node, const StoredGraph* graph) {
  GraphShape shape;
  if (graph != nullptr) shape = graph->shape();
  std::vector<double> numbers{static_cast<double>(shape.nodes),
                              static_cast<double>(shape.edge_entries),
                              static_cast<double>(shape.feature_entries),
                              static_cast<double>(shape.features),
                              shape.weighted_features ? 1.0 : 0.0,
                              shape.own_nodes ? 1.0 : 0.0,
                              shape.noisy_edges ? 1.0 : 0.0,
                              static_cast<double>(shape.true_edge_entries),
                              static_cast<double>(shape.validation_nodes)};
  node.broadcast_into(std::span(numbers), 0);
  return {.nodes = static_cast<std::size_t>(numbers[0]),
          .edge_entries = static_cast<std::size_t>(numbers[1]),
          .noisy_edges = numbers[6] == 1.0,
          .true_edge_entries = static_cast<std::size_t>(numbers[7]),
          .feature_entries = static_cast<std::size_t>(numbers[2]),
          .features = static_cast<std::size_t>(numbers[3]),
          .validation_nodes = static_cast<std::size_t>(numbers[8]),
          .weighted_features = numbers[4] == 1.0,
          .own_nodes = numbers[5] == 1.0};
}

}  // namespace souk
