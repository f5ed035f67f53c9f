#include <gmock/gmock.h>

#include "sim/data/describe.hpp"
#include "tests/sim/data/graphs/graphs.hpp"
#include "tests/sim/data/npz.hpp"

namespace souk::sparse_graph_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;
using namespace test;

// Five nodes; node 3 knows no one and has no features, node 2 has no class; there is a loop and an explicit zero.
std::vector<Member> small_graph(const std::string& prefix = "_") {
  return {{"adj" + prefix + "data.npy", npy("'<f4'", "(5,)", bytes_of<float>({1, 1, 1, 0, 1}))},
          {"adj" + prefix + "indices.npy", npy("'<i4'", "(5,)", bytes_of<std::int32_t>({1, 4, 0, 3, 2}))},
          {"adj" + prefix + "indptr.npy", npy("'<i4'", "(6,)", bytes_of<std::int32_t>({0, 2, 3, 5, 5, 5}))},
          {"adj" + prefix + "shape.npy", npy("'<i8'", "(2,)", bytes_of<std::int64_t>({5, 5}))},
          {"attr" + prefix + "data.npy", npy("'<f4'", "(4,)", bytes_of<float>({0.5, 1, 2, 1}))},
          {"attr" + prefix + "indices.npy", npy("'<i4'", "(4,)", bytes_of<std::int32_t>({3, 0, 1, 2}))},
          {"attr" + prefix + "indptr.npy", npy("'<i4'", "(6,)", bytes_of<std::int32_t>({0, 2, 3, 3, 3, 4}))},
          {"attr" + prefix + "shape.npy", npy("'<i8'", "(2,)", bytes_of<std::int64_t>({5, 4}))},
          {"labels.npy", npy("'|i1'", "(5,)", bytes_of<std::int8_t>({2, 0, -1, 0, 2}))},
          {"node_names.npy", npy("'|O'", "(5,)", {0x80, 2, '.'})},
          {"idx_to_class.npy", npy("'|O'", "()", {0x80, 2, '.'})}};
}

class SparseGraphFile : public testing::Test {
 protected:
  SparseGraphFile() {
    data.mutable_sparse_graph()->set_path(archive);
    scenario::PerClassSplit& split = *data.mutable_sparse_graph()->mutable_graph()->mutable_per_class();
    split.set_train(1), split.set_validation(0), split.set_test(2);
    write_file(archive, zip(small_graph(), false));
  }
  std::string error_with(const std::string& name, const Bytes& content) {
    auto members = small_graph();
    for (Member& member : members) {
      if (member.name == name + ".npy") member.content = content;
    }
    write_file(archive, zip(members, false));
    return load_error(data);
  }
  TempDirectory directory;
  std::string archive = directory / "graph.npz";
  scenario::Data data;
};

TEST_F(SparseGraphFile, is_read_under_both_kinds_of_names) {
  for (const char* prefix : {"_", "_matrix."}) {
    write_file(archive, zip(small_graph(prefix), true));
    const OpenGraph open(data);

    EXPECT_THAT(edges_of(open.graph), ElementsAre(Pair(0, 1), Pair(0, 4)));
    EXPECT_THAT(rows_of(open.graph.features),
                ElementsAre(Row{{0, 1}, {3, 0.5F}}, Row{{1, 2}}, Row{}, Row{}, Row{{2, 1}}));
    EXPECT_EQ(open.graph.features.width, 4U);
    EXPECT_THAT(open.reader->shape(Split::train).class_names, ElementsAre("0", "2"));
    EXPECT_THAT(open.graph.train_nodes, SizeIs(2));
    EXPECT_THAT(open.graph.test_nodes, SizeIs(2));
    for (const std::vector<NodeIndex>& nodes : {open.graph.train_nodes, open.graph.test_nodes}) {
      EXPECT_EQ(std::ranges::count(nodes, 2U), 0);  // has no class
    }
    EXPECT_THAT(open.reader->warnings(),
                ElementsAre(HasSubstr("the labels have gaps"), HasSubstr("1 edges from a node to itself"),
                            HasSubstr("1 of 3 edges repeat another")));
  }
}

TEST_F(SparseGraphFile, may_be_without_features) {
  auto members = small_graph();
  members.erase(members.begin() + 4, members.begin() + 8);
  write_file(archive, zip(members, false));
  EXPECT_THAT(load_error(data), HasSubstr("its nodes have no features: choose graph.features = DEGREE or IDENTITY"));
  data.mutable_sparse_graph()->mutable_graph()->set_features(scenario::GraphNodes::IDENTITY);
  EXPECT_EQ(OpenGraph(data).graph.features.width, 5U);
  EXPECT_THAT(input_error([this] { describe_path(archive); }), testing::Not(HasSubstr("no features")));
  members.push_back({"attr_matrix.npy", npy("'<f4'", "(5, 2)", bytes_of<float>({0, 1, 0, 0, 2, 3, 0, 0, 1, 0}))});
  write_file(archive, zip(members, false));
  data.mutable_sparse_graph()->mutable_graph()->clear_features();
  EXPECT_THAT(rows_of(OpenGraph(data).graph.features),
              ElementsAre(Row{{1, 1}}, Row{}, Row{{0, 2}, {1, 3}}, Row{}, Row{{0, 1}}));
}

TEST_F(SparseGraphFile, names_what_is_wrong) {
  const auto integers = [](const std::string& shape, const std::vector<std::int64_t>& values) {
    return npy("'<i8'", shape, bytes_of(values));
  };
  EXPECT_THAT(error_with("adj_shape", integers("(2,)", {5, 6})),
              HasSubstr("5 rows and 6 columns, must be one of each"));
  EXPECT_THAT(error_with("adj_shape", integers("(2,)", {1 << 30, 1 << 30})),
              HasSubstr("6 row pointers for 1073741824"));
  EXPECT_THAT(error_with("adj_shape", integers("(2,)", {-5, -5})), HasSubstr("must hold the two sizes"));
  EXPECT_THAT(error_with("adj_indices", integers("(5,)", {1, 4, 0, 3, 5})), HasSubstr("entry 4 is in column 5 of 5"));
  EXPECT_THAT(error_with("adj_indices", integers("(5,)", {1, 4, 0, 3, -1})), HasSubstr("entry 4 is in column -1 of 5"));
  EXPECT_THAT(error_with("adj_indptr", integers("(6,)", {0, 2, 1, 5, 5, 5})), HasSubstr("do not ascend from 0 to 5"));
  EXPECT_THAT(error_with("adj_indptr", integers("(6,)", {0, 2, 3, 5, 5, 9})), HasSubstr("do not ascend from 0 to 5"));
  EXPECT_THAT(error_with("adj_data", npy("'<f4'", "(1,)", bytes_of<float>({1}))), HasSubstr("1 values for 5 columns"));
  EXPECT_THAT(error_with("adj_data", npy("'<f4'", "(5,)", bytes_of<float>({1, 1, 1, 1, NAN}))),
              HasSubstr("not a finite float32 number"));
  EXPECT_THAT(error_with("attr_shape", integers("(2,)", {4, 4})), HasSubstr("4 rows for 5 nodes"));
  EXPECT_THAT(error_with("attr_shape", integers("(2,)", {5, 1 << 25})), HasSubstr("33554432 columns, must be at most"));
  EXPECT_THAT(error_with("attr_indices", integers("(4,)", {3, 3, 1, 2})), HasSubstr("1 entries are there twice"));
  EXPECT_THAT(error_with("labels", integers("(4,)", {1, 0, 1, 0})), HasSubstr("4 labels for 5 nodes"));
  EXPECT_THAT(error_with("labels", npy("'|O'", "(5,)", {})), HasSubstr("holds Python objects"));
  EXPECT_THAT(error_with("labels", integers("(5,)", {1, 1, 1, 1, 1})), HasSubstr("has 1 class, needs at least 2"));
  EXPECT_THAT(error_with("labels", integers("(1, 5)", {1, 0, 1, 0, 1})), HasSubstr("2 dimensions, must have 1"));
  auto members = small_graph();
  members[2].name = "indptr.npy";
  write_file(archive, zip(members, false));
  EXPECT_THAT(load_error(data), HasSubstr("has neither adj_indptr nor adj_matrix.indptr"));
}

TEST_F(SparseGraphFile, survives_damage) {
  for (const bool deflate : {false, true}) {
    write_file(archive, zip(small_graph(), deflate));
    survive_damage(archive, [this] { load(data, Split::train); });
  }
}

TEST(RealSparseGraph, has_the_counts_of_the_benchmark) {
  if (!real_data()) GTEST_SKIP() << "SOUK_DATA is not set";
  scenario::Data data;
  scenario::SparseGraph& graph = *data.mutable_sparse_graph();
  graph.mutable_graph()->mutable_per_class();
  graph.set_path("${SOUK_DATA}/gnn-benchmark/cora.npz");
  const OpenGraph cora(data);
  EXPECT_EQ(cora.nodes(), 2708U);
  EXPECT_EQ(cora.edges(), 5278U);
  EXPECT_EQ(cora.graph.features.width, 1433U);
  EXPECT_EQ(cora.graph.features.columns.size(), 49'216U);
  EXPECT_THAT(cora.graph.train_nodes, SizeIs(140));
  EXPECT_THAT(cora.graph.test_nodes, SizeIs(1000));
  graph.set_path("${SOUK_DATA}/gnn-benchmark/citeseer.npz");
  const OpenGraph citeseer(data);
  EXPECT_EQ(citeseer.nodes(), 3312U);
  EXPECT_EQ(citeseer.edges(), 4536U);
  EXPECT_EQ(citeseer.graph.features.width, 3703U);
  EXPECT_EQ(citeseer.graph.features.columns.size(), 105'165U);
  EXPECT_THAT(citeseer.reader->warnings()[0], HasSubstr("124 edges from a node to itself"));
}

}  // namespace
}  // namespace souk::sparse_graph_test
