#include <cmath>

#include <gmock/gmock.h>

#include "tests/sim/data/graphs/graphs.hpp"

namespace souk::communities_test {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::SizeIs;
using namespace test;

// Of all nodes: labels are told for those of the split alone, and validation nodes are in neither.
double homophily(const OpenGraph& open) {
  std::vector<std::int32_t> label(open.nodes(), -1);
  for (const auto& [split, nodes] :
       {std::pair(Split::train, &open.graph.train_nodes), std::pair(Split::test, &open.graph.test_nodes)}) {
    const std::vector<std::int32_t> labels = open.labels(split);
    for (std::size_t i = 0; i < labels.size(); ++i) label[(*nodes)[i]] = labels[i];
  }
  double within = 0, known = 0;
  for (const auto& [a, b] : edges_of(open.graph)) {
    if (label[a] < 0 || label[b] < 0) continue;
    known += 1;
    within += label[a] == label[b];
  }
  return within / known;
}

std::uint64_t largest_degree(const StoredGraph& graph) {
  std::uint64_t most = 0;
  for (std::size_t v = 0; v + 1 < graph.edge_offsets.size(); ++v) {
    most = std::max(most, graph.edge_offsets[v + 1] - graph.edge_offsets[v]);
  }
  return most;
}

class CommunitiesGraph : public testing::Test {
 protected:
  CommunitiesGraph() { communities(); }
  scenario::Communities& communities() { return *data.mutable_communities(); }
  scenario::CommunitySize& custom() { return *communities().mutable_custom(); }
  scenario::Data data;
};

void expect_like(const OpenGraph& open, std::size_t nodes, std::size_t edges, double share) {
  EXPECT_EQ(open.nodes(), nodes);
  EXPECT_EQ(open.edges(), edges);
  EXPECT_NEAR(homophily(open), share, 0.02);
  EXPECT_THAT(open.reader->warnings(), SizeIs(0));
  EXPECT_GT(static_cast<double>(largest_degree(open.graph)),
            8.0 * 2.0 * static_cast<double>(edges) / static_cast<double>(nodes));
}

TEST_F(CommunitiesGraph, are_as_large_as_the_graphs_they_are_named_after) {
  communities().mutable_cora_like();
  const OpenGraph cora(data);
  expect_like(cora, 2708, 5278, 0.81);
  EXPECT_EQ(cora.graph.features.width, 1433U);
  EXPECT_NEAR(static_cast<double>(cora.graph.features.columns.size()), 18.0 * 2708, 0.03 * 18 * 2708);
  EXPECT_THAT(cora.reader->shape(Split::train).class_names, SizeIs(7));
  EXPECT_THAT(cora.graph.train_nodes, SizeIs(1625));
  EXPECT_THAT(cora.graph.validation_nodes, SizeIs(542));
  EXPECT_THAT(cora.graph.test_nodes, SizeIs(541));

  communities().mutable_twitch_like();
  const OpenGraph twitch(data);
  expect_like(twitch, 9498, 153'138, 0.63);
  EXPECT_EQ(twitch.graph.features.width, 3170U);

  communities().mutable_flickr_like();
  const OpenGraph flickr(data);
  expect_like(flickr, 89'250, 449'878, 0.32);
  EXPECT_EQ(flickr.graph.features.width, 500U);
}

TEST_F(CommunitiesGraph, follow_the_seed_alone) {
  const OpenGraph first(data, 7), again(data, 7), other(data, 8);

  EXPECT_EQ(first.graph.neighbours, again.graph.neighbours);
  EXPECT_EQ(first.graph.edge_offsets, again.graph.edge_offsets);
  EXPECT_EQ(first.graph.features.columns, again.graph.features.columns);
  EXPECT_EQ(first.graph.train_nodes, again.graph.train_nodes);
  EXPECT_EQ(first.labels(Split::test), again.labels(Split::test));
  EXPECT_NE(first.graph.neighbours, other.graph.neighbours);
  EXPECT_NE(first.graph.features.columns, other.graph.features.columns);
  EXPECT_NE(first.graph.train_nodes, other.graph.train_nodes);
}

TEST_F(CommunitiesGraph, have_the_share_of_edges_within_classes_that_is_asked_for) {
  for (const double share : {0.0, 0.25, 1.0}) {
    custom().set_homophily(share);
    EXPECT_NEAR(homophily(OpenGraph(data)), share, share > 0 && share < 1 ? 0.03 : 0.0) << share;
  }
}

TEST_F(CommunitiesGraph, weigh_the_same_without_an_exponent_and_never_have_a_node_that_knows_all) {
  custom().set_exponent(0);
  EXPECT_LT(largest_degree(OpenGraph(data).graph), 30U);  // of 8 on average
  custom().set_exponent(1.5);                             // hardly has a mean
  const std::uint64_t most = largest_degree(OpenGraph(data).graph);
  EXPECT_GT(most, 60U);
  EXPECT_LT(most, 160U);  // of 1000 / 10 expected
}

TEST_F(CommunitiesGraph, have_features_that_tell_of_the_class_as_much_as_is_asked_for) {
  custom().set_classes(4), custom().set_features(40), custom().set_features_per_node(5);
  const auto typical = [this](double signal) {
    custom().set_signal(signal);
    const OpenGraph open(data);
    const std::vector<Row> rows = rows_of(open.graph.features);
    const std::vector<std::int32_t> labels = open.labels(Split::train);
    double own = 0, all = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      for (const auto& [column, value] : rows[open.graph.train_nodes[i]]) {
        own += column / 10 == static_cast<std::uint32_t>(labels[i]);
        all += 1;
      }
    }
    return own / all;
  };
  EXPECT_EQ(typical(1.0), 1.0);
  EXPECT_NEAR(typical(0.0), 0.25, 0.03);
  EXPECT_GT(typical(0.4), 0.4);
  custom().set_features(2);  // fewer than classes
  EXPECT_THAT(OpenGraph(data).graph.features.columns, Each(testing::Lt(2U)));
}

TEST_F(CommunitiesGraph, may_be_dense) {
  custom().set_nodes(20), custom().set_classes(2), custom().set_edges(90), custom().set_homophily(0.45);
  EXPECT_EQ(OpenGraph(data).edges(), 90U);
}

TEST_F(CommunitiesGraph, name_sizes_that_cannot_be) {
  custom().set_nodes(20), custom().set_classes(2);
  custom().set_edges(100);
  EXPECT_THAT(load_error(data),
              HasSubstr("80 edges within classes and 20 between them are more than half of all pairs"));
  custom().set_edges(40), custom().set_exponent(0.5);
  EXPECT_THAT(load_error(data), HasSubstr("exponent = 0.5: must be 0 or above 1"));
  custom().set_exponent(2.5), custom().set_classes(11);
  EXPECT_THAT(load_error(data), HasSubstr("20 nodes for 11 classes"));
  custom().set_classes(2), custom().set_nodes(100'000'000), custom().set_features_per_node(10'000);
  EXPECT_THAT(load_error(data), HasSubstr("needs "));
}

}  // namespace
}  // namespace souk::communities_test
