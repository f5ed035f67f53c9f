#include "sim/data/graphs/reduced_graph.hpp"

#include <algorithm>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

std::vector<bool> marks_of(std::span<const NodeIndex> nodes, std::size_t count) {
  std::vector<bool> marks(count, false);
  for (const NodeIndex node : nodes) {
    SOUK_EXPECT(node < count);
    marks[node] = true;
  }
  return marks;
}

}  // namespace

ReducedGraph::ReducedGraph(const Graph& from, const GraphReduction& without)
    : from_(from), other_features_(!without.nodes.empty() || !without.features.empty()) {
  const std::vector<bool> gone = marks_of(without.nodes, from.nodes());
  edge_offsets_.push_back(0);
  for (NodeIndex node = 0; node < from.nodes(); ++node) {
    for (std::uint64_t e = from.edges.offsets[node]; e < from.edges.offsets[node + 1] && !gone[node]; ++e) {
      const NodeIndex other = from.edges.columns[e];
      if (gone[other] || std::ranges::binary_search(without.edges, EdgeEnds(std::minmax(node, other)))) continue;
      edge_columns_.push_back(other);
    }
    edge_offsets_.push_back(edge_columns_.size());
  }
  if (!other_features_) return;
  const std::vector<bool> blank = marks_of(without.features, from.nodes());
  feature_offsets_.push_back(0);
  for (NodeIndex node = 0; node < from.nodes(); ++node) {
    if (!gone[node] && !blank[node]) {
      const auto begin = static_cast<std::ptrdiff_t>(from.features.offsets[node]);
      const auto end = static_cast<std::ptrdiff_t>(from.features.offsets[node + 1]);
      const auto columns = from.features.columns.begin();
      feature_columns_.insert(feature_columns_.end(), columns + begin, columns + end);
      const auto values = from.features.values.begin();
      if (!from.features.values.empty()) feature_values_.insert(feature_values_.end(), values + begin, values + end);
    }
    feature_offsets_.push_back(feature_columns_.size());
  }
}

Graph ReducedGraph::graph() const {
  Graph graph = from_;
  graph.edges.offsets = edge_offsets_;
  graph.edges.columns = edge_columns_;
  if (!other_features_) return graph;
  graph.features.offsets = feature_offsets_;
  graph.features.columns = feature_columns_;
  graph.features.values = feature_values_;
  return graph;
}

double ReducedGraph::bytes() const {
  return static_cast<double>(8 * (edge_offsets_.size() + feature_offsets_.size()) +
                             4 * (edge_columns_.size() + feature_columns_.size() + feature_values_.size()));
}

std::vector<EdgeEnds> edges_of(const Graph& graph) {
  std::vector<EdgeEnds> edges;
  edges.reserve(graph.edges.entries() / 2);
  for (NodeIndex node = 0; node < graph.nodes(); ++node) {
    for (std::uint64_t e = graph.edges.offsets[node]; e < graph.edges.offsets[node + 1]; ++e) {
      if (node < graph.edges.columns[e]) edges.emplace_back(node, graph.edges.columns[e]);
    }
  }
  return edges;
}

std::vector<NodeIndex> nodes_within(const Graph& graph, std::span<const NodeIndex> from, std::size_t hops) {
  std::vector<bool> reached = marks_of(from, graph.nodes());
  std::vector<NodeIndex> all(from.begin(), from.end());
  for (std::size_t hop = 0, begin = 0; hop < hops; ++hop) {
    const std::size_t end = all.size();
    for (; begin < end; ++begin) {
      const NodeIndex node = all[begin];
      for (std::uint64_t e = graph.edges.offsets[node]; e < graph.edges.offsets[node + 1]; ++e) {
        const NodeIndex other = graph.edges.columns[e];
        if (reached[other]) continue;
        reached[other] = true;
        all.push_back(other);
      }
    }
  }
  std::ranges::sort(all);
  return all;
}

}  // namespace souk
