#include <gmock/gmock.h>

#include "sim/data/describe.hpp"
#include "tests/sim/data/graphs/graphs.hpp"
#include "tests/sim/data/npz.hpp"

namespace souk::heterophilous_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using namespace test;

// Four nodes and two splits.
std::vector<Member> small_graph() {
  return {{"node_features.npy", npy("'<f4'", "(4, 3)", bytes_of<float>({0, 1, 0, 2, 0, 3, 0, 0, 0, -1, 0, 0}))},
          {"node_labels.npy", npy("'<i8'", "(4,)", bytes_of<std::int64_t>({1, 0, 1, 0}))},
          {"edges.npy", npy("'<i8'", "(3, 2)", bytes_of<std::int64_t>({0, 1, 3, 1, 2, 3}))},
          {"train_masks.npy", npy("'|b1'", "(2, 4)", {1, 1, 0, 0, 0, 0, 1, 1})},
          {"val_masks.npy", npy("'|b1'", "(2, 4)", {0, 0, 1, 0, 0, 0, 0, 0})},
          // Split after split of every node.
          {"test_masks.npy", npy("'|b1'", "(2, 4)", {0, 1, 0, 1, 0, 0, 1, 0}, "True")}};
}

class HeterophilousGraph : public testing::Test {
 protected:
  HeterophilousGraph() {
    data.mutable_heterophilous()->set_path(archive);
    write_file(archive, zip(small_graph(), true));
  }
  std::string error_with(std::size_t member, const Bytes& content) {
    auto members = small_graph();
    members[member].content = content;
    write_file(archive, zip(members, false));
    return load_error(data);
  }
  TempDirectory directory;
  std::string archive = directory / "graph.npz";
  scenario::Data data;
};

TEST_F(HeterophilousGraph, has_the_split_that_is_chosen_by_number) {
  const OpenGraph first(data);
  EXPECT_THAT(edges_of(first.graph), ElementsAre(Pair(0, 1), Pair(1, 3), Pair(2, 3)));
  EXPECT_THAT(rows_of(first.graph.features), ElementsAre(Row{{1, 1}}, Row{{0, 2}, {2, 3}}, Row{}, Row{{0, -1}}));
  EXPECT_EQ(first.graph.features.width, 3U);
  EXPECT_THAT(first.graph.train_nodes, ElementsAre(0, 1));
  EXPECT_THAT(first.graph.validation_nodes, ElementsAre(2));
  EXPECT_THAT(first.graph.test_nodes, ElementsAre(3));
  EXPECT_THAT(first.labels(Split::train), ElementsAre(1, 0));
  EXPECT_THAT(first.reader->warnings(), IsEmpty());

  scenario::PublishedSplit& published = *data.mutable_heterophilous()->mutable_graph()->mutable_published();
  published.set_number(1);
  const OpenGraph second(data);
  EXPECT_THAT(second.graph.train_nodes, ElementsAre(2, 3));
  EXPECT_THAT(second.graph.validation_nodes, IsEmpty());
  EXPECT_THAT(second.graph.test_nodes, ElementsAre(0, 1));
  published.set_number(2);
  EXPECT_THAT(load_error(data), HasSubstr("there are 2 splits, numbered from 0"));
}

TEST_F(HeterophilousGraph, names_what_is_wrong) {
  const auto integers = [](const std::string& shape, const std::vector<std::int64_t>& values) {
    return npy("'<i8'", shape, bytes_of(values));
  };
  EXPECT_THAT(error_with(2, integers("(1, 2)", {0, 4})), HasSubstr("edge 0 joins 0 and 4, there are 4 nodes"));
  EXPECT_THAT(error_with(2, integers("(1, 2)", {-1, 3})), HasSubstr("edge 0 joins -1 and 3"));
  EXPECT_THAT(error_with(2, integers("(1, 3)", {0, 1, 2})), HasSubstr("3 columns, must be two"));
  EXPECT_THAT(error_with(1, integers("(3,)", {0, 1, 1})), HasSubstr("edge 1 joins 3 and 1, there are 3 nodes"));
  EXPECT_THAT(error_with(0, npy("'<f4'", "(2, 2)", bytes_of<float>({1, 2, 3, 4}))), HasSubstr("2 rows for 4 nodes"));
  EXPECT_THAT(error_with(0, npy("'<f4'", "(4, 1)", bytes_of<float>({1, 2, INFINITY, 4}))), HasSubstr("not a finite"));
  EXPECT_THAT(error_with(5, npy("'|b1'", "(1, 4)", {0, 0, 0, 1})), HasSubstr("1 splits, train_masks has 2"));
  EXPECT_THAT(error_with(5, npy("'|b1'", "(2, 3)", {0, 0, 0, 1, 0, 0})), HasSubstr("must be a row of 4 nodes"));
  EXPECT_THAT(error_with(5, npy("'|b1'", "(2, 4)", {1, 0, 0, 1, 0, 0, 0, 0})),
              HasSubstr("split 0: node 0 is in another part, too"));
  EXPECT_THAT(error_with(5, npy("'<f4'", "(2, 4)", bytes_of<float>({0, 0, 0, 1, 1, 0, 0, 0}))),
              HasSubstr("must hold integers"));
}

TEST_F(HeterophilousGraph, survives_damage) {
  for (const bool deflate : {false, true}) {
    write_file(archive, zip(small_graph(), deflate));
    survive_damage(archive, [this] { load(data, Split::train); });
  }
}

struct Counts {
  const char* name;
  std::size_t nodes, edges, features, train, validation;
};

TEST(RealHeterophilous, has_the_counts_of_the_benchmark) {
  if (!real_data()) GTEST_SKIP() << "SOUK_DATA is not set";
  scenario::Data data;
  for (const Counts& counts :
       {Counts{"tolokers", 11'758, 519'000, 10, 5879, 2939}, Counts{"minesweeper", 10'000, 39'402, 7, 5000, 2500},
        Counts{"actor", 7600, 26'659, 932, 3648, 2432}}) {
    data.mutable_heterophilous()->set_path(std::string("${SOUK_DATA}/heterophilous-graphs/") + counts.name + ".npz");
    for (const std::uint32_t split : {0U, 9U}) {
      data.mutable_heterophilous()->mutable_graph()->mutable_published()->set_number(split);
      const OpenGraph open(data);
      EXPECT_EQ(open.nodes(), counts.nodes) << counts.name;
      EXPECT_EQ(open.edges(), counts.edges) << counts.name;
      EXPECT_EQ(open.graph.features.width, counts.features) << counts.name;
      EXPECT_THAT(open.graph.train_nodes, SizeIs(counts.train)) << counts.name;
      EXPECT_THAT(open.graph.validation_nodes, SizeIs(counts.validation)) << counts.name;
      EXPECT_THAT(open.graph.test_nodes, SizeIs(counts.nodes - counts.train - counts.validation)) << counts.name;
      EXPECT_THAT(open.reader->warnings(), IsEmpty()) << counts.name;
    }
  }
}

}  // namespace
}  // namespace souk::heterophilous_test
