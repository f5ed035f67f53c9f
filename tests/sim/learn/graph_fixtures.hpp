#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/data/graphs/graph.hpp"
#include "sim/learn/graphs/graph_network.hpp"
#include "tests/sim/learn/fixtures.hpp"

namespace souk::fixtures {

/// A small graph in memory: a ring with chords, one node without neighbours (the last), and sparse features.
struct SmallGraph {
  explicit SmallGraph(std::size_t nodes = 14, std::size_t features = 9, bool weighted = true) {
    Stream random = stream(77);
    std::set<std::pair<std::uint32_t, std::uint32_t>> edges;
    const auto last = static_cast<std::uint32_t>(nodes - 1);
    for (std::uint32_t v = 0; v < last; ++v) add(edges, v, (v + 1) % last);
    for (std::size_t chord = 0; chord < nodes / 2; ++chord) add(edges, random.below(last), random.below(last));
    edge_offsets.push_back(0);
    for (std::uint32_t v = 0; v < nodes; ++v) {
      for (const auto& [a, b] : edges) {
        if (a == v) neighbours.push_back(b);
      }
      edge_offsets.push_back(neighbours.size());
    }
    feature_offsets.push_back(0);
    for (std::size_t v = 0; v < nodes; ++v) {
      for (std::uint32_t f = 0; f < features; ++f) {
        if (random.below(3) != 0) continue;
        columns.push_back(f);
        if (weighted) values.push_back(static_cast<float>(random.normal()));
      }
      feature_offsets.push_back(columns.size());
    }
    graph = {.edges = {.offsets = edge_offsets, .columns = neighbours, .values = {}, .width = nodes},
             .features = {.offsets = feature_offsets, .columns = columns, .values = values, .width = features},
             .train_nodes = {},
             .test_nodes = {}};
  }
  SmallGraph(const SmallGraph&) = delete;
  SmallGraph& operator=(const SmallGraph&) = delete;

  bool joined(std::size_t a, std::size_t b) const {
    const auto begin = neighbours.begin() + static_cast<std::ptrdiff_t>(edge_offsets[a]);
    const auto end = neighbours.begin() + static_cast<std::ptrdiff_t>(edge_offsets[a + 1]);
    return std::find(begin, end, static_cast<std::uint32_t>(b)) != end;
  }
  std::size_t degree(std::size_t v) const { return edge_offsets[v + 1] - edge_offsets[v]; }
  /// Stored feature f of node v, by looking for it.
  double feature(std::size_t v, std::size_t f) const {
    for (std::size_t e = feature_offsets[v]; e < feature_offsets[v + 1]; ++e) {
      if (columns[e] == f) return values.empty() ? 1.0 : static_cast<double>(values[e]);
    }
    return 0.0;
  }

  std::vector<std::uint64_t> edge_offsets, feature_offsets;
  std::vector<std::uint32_t> neighbours, columns;
  std::vector<float> values;
  Graph graph;

 private:
  static void add(std::set<std::pair<std::uint32_t, std::uint32_t>>& edges, std::uint32_t a, std::uint32_t b) {
    if (a == b) return;
    edges.insert({a, b});
    edges.insert({b, a});
  }
};

/// One network of each family, and of each way that a family has.
inline const std::vector<std::string>& graph_models() {
  static const std::vector<std::string> all{
      "gcn { hidden: 6 }",
      "gcn { hidden: 6 hidden: 5 normalization: PLUS_IDENTITY activation: ELU }",
      "gcn { hidden: 6 normalization: WITHOUT_SELF }",
      "sage { hidden: 6 }",
      "gat { hidden: 3 heads: 2 output_heads: 1 }",
      "gat { hidden: 3 heads: 2 output_heads: 3 activation: RELU }",
      "gin { hidden: 6 }",
      "sgc { hops: 3 }",
      "mlp { hidden: 6 }",
      "logreg {}",
  };
  return all;
}

inline GraphNetwork graph_network(const std::string& text, std::size_t features, std::size_t classes) {
  const GraphModelShape shape{.features = features, .classes = classes};
  return {make_graph_architecture(model(text), shape), shape, make_objective({}, true)};
}

}  // namespace souk::fixtures
