#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "sim/data/graphs/graph_file.hpp"
#include "tests/sim/data/support.hpp"

namespace souk::test {

/// Every edge once, the smaller end first, ascending.
inline std::vector<Edge> edges_of(const StoredGraph& graph) {
  std::vector<Edge> edges;
  for (NodeIndex v = 0; v + 1 < graph.edge_offsets.size(); ++v) {
    for (std::uint64_t i = graph.edge_offsets[v]; i < graph.edge_offsets[v + 1]; ++i) {
      if (graph.neighbours[i] > v) edges.emplace_back(v, graph.neighbours[i]);
    }
  }
  return edges;
}

using Row = std::vector<std::pair<std::uint32_t, float>>;

/// Columns and values of every node.
inline std::vector<Row> rows_of(const NodeFeatures& features) {
  std::vector<Row> rows(features.offsets.size() - 1);
  for (std::size_t v = 0; v < rows.size(); ++v) {
    for (std::uint64_t i = features.offsets[v]; i < features.offsets[v + 1]; ++i) {
      rows[v].emplace_back(features.columns[i], features.values.empty() ? 1.0F : features.values[i]);
    }
  }
  return rows;
}

/// A graph that a data message names, with its reader.
struct OpenGraph {
  explicit OpenGraph(const scenario::Data& data, std::uint64_t seed = 1)
      : reader(open_dataset(data, {seed})), graph(*reader->graph()) {}
  std::size_t nodes() const { return graph.shape().nodes; }
  std::size_t edges() const { return graph.neighbours.size() / 2; }
  std::vector<std::int32_t> labels(Split split) const { return load(*reader, split).labels; }

  std::unique_ptr<DatasetReader> reader;
  const StoredGraph& graph;
};

}  // namespace souk::test
