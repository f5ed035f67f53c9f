#include <algorithm>
#include <array>
#include <utility>

#include <gmock/gmock.h>

#include "tests/sim/data/graphs/graphs.hpp"

namespace souk::graph_reader_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using namespace test;

GraphFile file_of(std::size_t nodes, std::vector<Edge> edges) {
  GraphFile file;
  file.path = "graph";
  file.nodes = nodes;
  file.edges = std::move(edges);
  file.features.offsets.assign(nodes + 1, 0);
  file.class_names = {"a", "b"};
  for (std::size_t v = 0; v < nodes; ++v) file.labels.push_back(static_cast<std::int32_t>(v % 2));
  return file;
}

scenario::GraphNodes identity() {
  scenario::GraphNodes nodes;
  nodes.mutable_random();
  nodes.set_features(scenario::GraphNodes::IDENTITY);
  return nodes;
}

std::string error_of(const GraphFile& file, const scenario::GraphNodes& nodes) {
  return input_error([&] { make_graph_reader(file, nodes, {}); });
}

// Training, validation and test nodes.
std::array<std::vector<NodeIndex>, 3> split_of(const GraphFile& file, const scenario::GraphNodes& nodes,
                                               std::uint64_t seed) {
  const auto reader = make_graph_reader(file, nodes, {.seed = seed});
  return {reader->graph()->train_nodes, reader->graph()->validation_nodes, reader->graph()->test_nodes};
}

std::vector<NodeIndex> all_of(const std::array<std::vector<NodeIndex>, 3>& split) {
  std::vector<NodeIndex> all;
  for (const std::vector<NodeIndex>& nodes : split) {
    EXPECT_TRUE(std::ranges::is_sorted(nodes));
    all.insert(all.end(), nodes.begin(), nodes.end());
  }
  std::ranges::sort(all);
  return all;
}

TEST(GraphReader, edges_are_undirected_and_loops_and_repeats_are_counted) {
  const auto reader =
      make_graph_reader(file_of(5, {{3, 1}, {1, 3}, {1, 3}, {2, 2}, {0, 4}, {4, 1}, {0, 0}}), identity(), {});
  const StoredGraph& graph = *reader->graph();

  EXPECT_THAT(graph.edge_offsets, ElementsAre(0, 1, 3, 3, 4, 6));
  EXPECT_THAT(graph.neighbours, ElementsAre(4, 3, 4, 1, 0, 1));
  EXPECT_EQ(graph.shape().edge_entries, 6U);
  EXPECT_THAT(reader->warnings(),
              ElementsAre("graph: 2 edges from a node to itself are left out",
                          "graph: 2 of 5 edges repeat another, or are its other direction, and are left out"));
}

TEST(GraphReader, a_graph_may_be_without_edges) {
  const auto reader = make_graph_reader(file_of(4, {}), identity(), {});
  EXPECT_THAT(reader->graph()->edge_offsets, ElementsAre(0, 0, 0, 0, 0));
  EXPECT_THAT(reader->warnings(), IsEmpty());
}

TEST(GraphReader, random_splits_are_shares_of_the_nodes_with_a_class) {
  GraphFile file = file_of(110, {});
  for (std::size_t v = 0; v < 10; ++v) file.labels[11 * v] = -1;
  scenario::GraphNodes nodes = identity();
  nodes.mutable_random()->set_train(0.5);
  const auto first = split_of(file, nodes, 1);

  EXPECT_THAT(first[0], SizeIs(50));
  EXPECT_THAT(first[1], SizeIs(20));
  EXPECT_THAT(first[2], SizeIs(30));
  const std::vector<NodeIndex> all = all_of(first);
  EXPECT_TRUE(std::ranges::adjacent_find(all) == all.end());
  for (const NodeIndex v : all) EXPECT_NE(v % 11, 0U);
  EXPECT_EQ(split_of(file, nodes, 1), first);
  EXPECT_NE(split_of(file, nodes, 2), first);
  nodes.mutable_random()->set_seed(1);
  EXPECT_EQ(split_of(file, nodes, 2), first);
  nodes.mutable_random()->set_train(0.9);
  EXPECT_THAT(error_of(file, nodes), HasSubstr("train = 0.9 and validation = 0.2 leave nothing for testing"));
}

TEST(GraphReader, per_class_splits_have_as_many_of_every_class) {
  const GraphFile file = file_of(101, {});
  scenario::GraphNodes nodes = identity();
  scenario::PerClassSplit& split = *nodes.mutable_per_class();
  split.set_train(20), split.set_validation(15), split.set_test(30);
  const auto first = split_of(file, nodes, 1);

  EXPECT_EQ(std::ranges::count_if(first[0], [](NodeIndex v) { return v % 2 == 0; }), 20);
  EXPECT_THAT(first[0], SizeIs(40));
  EXPECT_THAT(first[1], SizeIs(15));
  EXPECT_THAT(first[2], SizeIs(30));
  const std::vector<NodeIndex> all = all_of(first);
  EXPECT_TRUE(std::ranges::adjacent_find(all) == all.end());
  EXPECT_EQ(split_of(file, nodes, 1), first);
  EXPECT_NE(split_of(file, nodes, 2), first);
  split.set_seed(1);
  EXPECT_EQ(split_of(file, nodes, 2), first);
  split.set_train(51);
  EXPECT_THAT(error_of(file, nodes), HasSubstr("class \"b\" has 50 nodes, and graph.split.per_class.train wants 51"));
  split.set_train(30);
  EXPECT_THAT(error_of(file, nodes), HasSubstr("41 nodes are left beside those for training"));
}

TEST(GraphReader, published_splits_are_those_of_the_file) {
  GraphFile file = file_of(4, {});
  scenario::GraphNodes nodes = identity();
  nodes.mutable_published();
  EXPECT_THAT(error_of(file, nodes), HasSubstr("graph: the files say nothing of which nodes are for training"));
  file.splits = {{NodePart::test, NodePart::train, NodePart::none, NodePart::validation}};
  const auto split = split_of(file, nodes, 1);
  EXPECT_THAT(split[0], ElementsAre(1));
  EXPECT_THAT(split[1], ElementsAre(3));
  EXPECT_THAT(split[2], ElementsAre(0));
  file.labels[3] = -1;
  EXPECT_THAT(error_of(file, nodes), HasSubstr("node 3 is in the split and has no class"));
  nodes.mutable_published()->set_number(1);
  EXPECT_THAT(error_of(file, nodes), HasSubstr("there are 1 splits, numbered from 0"));
}

TEST(GraphReader, temporal_splits_are_shares_by_the_time_of_the_first_edge) {
  GraphFile file = file_of(6, {});
  scenario::GraphNodes nodes = identity();
  nodes.mutable_temporal()->set_train(0.4);
  EXPECT_THAT(error_of(file, nodes), HasSubstr("graph: graph.split.temporal: its edges have no times"));
  file.first_seen = {5.0, -2.5, 7.0, 5.0, 0.0, 9.0};
  file.labels[4] = -1;
  nodes.mutable_temporal()->set_validation(0.2);
  const auto split = split_of(file, nodes, 1);  // of 1, 0, 3, 2, 5
  EXPECT_THAT(split[0], ElementsAre(0, 1));
  EXPECT_THAT(split[1], ElementsAre(3));
  EXPECT_THAT(split[2], ElementsAre(2, 5));
  EXPECT_EQ(split_of(file, nodes, 2), split);
  nodes.mutable_temporal()->set_validation(0.6);
  EXPECT_THAT(error_of(file, nodes), HasSubstr("temporal: train = 0.4 and validation = 0.6 leave nothing for testing"));
}

TEST(GraphReader, features_may_be_degrees_or_identities) {
  scenario::GraphNodes nodes = identity();
  nodes.set_features(scenario::GraphNodes::DEGREE), nodes.set_degree_max(2);
  const std::vector<Edge> edges{{0, 1}, {0, 2}, {0, 3}, {0, 4}, {1, 2}};
  const auto by_degree = make_graph_reader(file_of(6, edges), nodes, {});
  EXPECT_EQ(by_degree->graph()->features.width, 4U);  // 0, 1, 2, more
  EXPECT_THAT(rows_of(by_degree->graph()->features),
              ElementsAre(Row{{3, 1}}, Row{{2, 1}}, Row{{2, 1}}, Row{{1, 1}}, Row{{1, 1}}, Row{{0, 1}}));
  EXPECT_EQ(by_degree->shape(Split::train).features(), 4U);
  EXPECT_EQ(by_degree->shape(Split::train).row_values(), 0U);

  const auto by_identity = make_graph_reader(file_of(3, {}), identity(), {});
  EXPECT_THAT(rows_of(by_identity->graph()->features), ElementsAre(Row{{0, 1}}, Row{{1, 1}}, Row{{2, 1}}));

  nodes.set_features(scenario::GraphNodes::OWN);
  EXPECT_THAT(error_of(file_of(6, edges), nodes), HasSubstr("its nodes have no features"));
}

TEST(GraphReader, limits_cut_units_and_leave_the_graph) {
  scenario::Data data;
  data.mutable_communities();
  data.set_train_limit(7), data.set_test_limit(5);
  const OpenGraph cut(data);
  data.clear_train_limit(), data.clear_test_limit();
  const OpenGraph whole(data);

  EXPECT_THAT(cut.graph.train_nodes, SizeIs(7));
  EXPECT_THAT(cut.graph.test_nodes, SizeIs(5));
  EXPECT_EQ(cut.reader->shape(Split::train).samples, 7U);
  EXPECT_TRUE(std::equal(cut.graph.train_nodes.begin(), cut.graph.train_nodes.end(), whole.graph.train_nodes.begin()));
  EXPECT_EQ(cut.graph.neighbours, whole.graph.neighbours);
  const std::vector<std::int32_t> all = whole.labels(Split::test), some = cut.labels(Split::test);
  EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin()));
  EXPECT_EQ(load(*whole.reader, Split::test, RowRange{2, 4}).labels, std::vector(all.begin() + 2, all.begin() + 4));
}

}  // namespace
}  // namespace souk::graph_reader_test
