#include "sim/data/graphs/reduced_graph.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"

namespace souk::reduced_graph_test {
namespace {

/// A random graph with weighted features, in memory of its own.
struct DrawnGraph {
  std::set<EdgeEnds> edges;
  std::vector<std::uint64_t> offsets{0}, feature_offsets{0};
  std::vector<std::uint32_t> columns, feature_columns;
  std::vector<float> values;
  static constexpr NodeIndex nodes = 40;

  explicit DrawnGraph(std::uint64_t seed) {
    Stream random(seed, streams::glyph(0, false));
    for (NodeIndex a = 0; a < nodes; ++a) {
      for (NodeIndex b = a + 1; b < nodes; ++b) {
        if (random.below(10) == 0) edges.emplace(a, b);
      }
    }
    for (NodeIndex node = 0; node < nodes; ++node) {
      for (NodeIndex other = 0; other < nodes; ++other) {
        if (edges.contains(std::minmax(node, other))) columns.push_back(other);
      }
      offsets.push_back(columns.size());
      for (std::uint32_t f = 0; f < 6; ++f) {
        if (random.below(2) == 0) continue;
        feature_columns.push_back(f);
        values.push_back(static_cast<float>(node) + 0.1F * static_cast<float>(f));
      }
      feature_offsets.push_back(feature_columns.size());
    }
  }
  Graph graph() const {
    return {.edges = {offsets, columns, {}, nodes},
            .features = {feature_offsets, feature_columns, values, 6},
            .train_nodes = {},
            .test_nodes = {}};
  }
};

TEST(ReducedGraph, has_everything_but_what_is_cut_out) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const DrawnGraph drawn(seed);
    const Graph from = drawn.graph();
    const std::vector<EdgeEnds> all = edges_of(from);
    EXPECT_TRUE(std::ranges::equal(all, drawn.edges));
    const GraphReduction cut{.nodes = {3, 17}, .edges = {all[1], all[5], all[9]}, .features = {2, 17, 30}};
    const ReducedGraph reduced(from, cut);
    const Graph graph = reduced.graph();
    std::set<EdgeEnds> expected;
    for (const EdgeEnds& edge : drawn.edges) {
      const bool gone = edge.first == 3 || edge.second == 3 || edge.first == 17 || edge.second == 17 ||
                        std::ranges::find(cut.edges, edge) != cut.edges.end();
      if (!gone) expected.insert(edge);
    }
    EXPECT_TRUE(std::ranges::equal(edges_of(graph), expected));
    EXPECT_EQ(graph.edges.entries(), 2 * expected.size());
    for (NodeIndex node = 0; node < DrawnGraph::nodes; ++node) {
      const std::uint64_t begin = graph.features.offsets[node], end = graph.features.offsets[node + 1];
      if (node == 2 || node == 3 || node == 17 || node == 30) {
        EXPECT_EQ(begin, end) << node;
        continue;
      }
      const std::uint64_t was = from.features.offsets[node];
      ASSERT_EQ(end - begin, from.features.offsets[node + 1] - was);
      for (std::uint64_t k = 0; k < end - begin; ++k) {
        EXPECT_EQ(graph.features.columns[begin + k], from.features.columns[was + k]);
        EXPECT_EQ(graph.features.values[begin + k], from.features.values[was + k]);
      }
    }
  }
}

TEST(ReducedGraph, without_a_cut_is_the_graph) {
  const DrawnGraph drawn(4);
  const ReducedGraph reduced(drawn.graph(), {});
  EXPECT_TRUE(std::ranges::equal(reduced.graph().edges.columns, drawn.graph().edges.columns));
  EXPECT_TRUE(std::ranges::equal(reduced.graph().features.columns, drawn.graph().features.columns));
}

/// Against sets that grow hop by hop.
TEST(NodesWithin, are_those_that_so_many_hops_reach) {
  const DrawnGraph drawn(5);
  std::set<NodeIndex> reached{4, 11};
  const std::vector<NodeIndex> from{4, 11};
  for (std::size_t hops = 0; hops < 4; ++hops) {
    EXPECT_TRUE(std::ranges::equal(nodes_within(drawn.graph(), from, hops), reached)) << hops;
    std::set<NodeIndex> next = reached;
    for (const auto& [a, b] : drawn.edges) {
      if (reached.contains(a)) next.insert(b);
      if (reached.contains(b)) next.insert(a);
    }
    reached = std::move(next);
  }
}

}  // namespace
}  // namespace souk::reduced_graph_test
