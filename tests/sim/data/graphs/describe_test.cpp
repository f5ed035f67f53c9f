#include "sim/data/describe.hpp"

#include <gmock/gmock.h>

#include "tests/sim/data/graphs/graphs.hpp"
#include "tests/sim/data/npz.hpp"

namespace souk::describe_test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using namespace test;

// Six nodes of which node 5 has no class; edges 0-1, 0-2 and 3-4 are within a class, 0-3 is not, and 0-5 cannot be
// judged.
TEST(DescribeGraph, tells_of_edges_features_classes_and_splits) {
  const TempDirectory directory;
  const std::string archive = directory / "graph.npz";
  write_file(archive,
             zip({{"node_features.npy", npy("'<f4'", "(6, 2)", bytes_of<float>({0, 1, 0, 2, 0, 3, 0, 0, 0, 1, 1, 1}))},
                  {"node_labels.npy", npy("'<i8'", "(6,)", bytes_of<std::int64_t>({7, 7, 7, 8, 8, -1}))},
                  {"edges.npy", npy("'<i8'", "(5, 2)", bytes_of<std::int64_t>({0, 1, 0, 2, 4, 3, 3, 0, 0, 5}))},
                  {"train_masks.npy", npy("'|b1'", "(1, 6)", {1, 1, 0, 0, 0, 0})},
                  {"val_masks.npy", npy("'|b1'", "(1, 6)", {0, 0, 0, 1, 0, 0})},
                  {"test_masks.npy", npy("'|b1'", "(1, 6)", {0, 0, 1, 0, 1, 0})}},
                 true));

  const DatasetSummary found = describe_path(archive);

  ASSERT_TRUE(found.graph.has_value());
  EXPECT_EQ(found.graph->nodes, 6U);
  EXPECT_EQ(found.graph->edges, 5U);
  EXPECT_EQ(found.graph->largest_degree, 4U);
  EXPECT_EQ(found.graph->features, 2U);
  EXPECT_EQ(found.graph->feature_entries, 6U);
  EXPECT_EQ(found.graph->judged_edges, 4U);
  EXPECT_EQ(found.graph->edges_within, 3U);
  ASSERT_EQ(found.splits.size(), 3U);
  EXPECT_THAT(found.splits[0].class_counts, ElementsAre(2, 0));
  EXPECT_THAT(found.splits[1].class_counts, ElementsAre(1, 1));
  EXPECT_EQ(found.splits[2].name, "validation");
  EXPECT_THAT(found.splits[2].class_counts, ElementsAre(0, 1));
  EXPECT_THAT(found.text(),
              AllOf(HasSubstr("nodes    6\nedges    5: a node has 1.67 neighbours on average, and at most 4\n"
                              "features 2 with 6 entries, 1.0 a node\n"
                              "within a class are 0.750 of the edges (4 whose nodes have one)\n"),
                    HasSubstr("train      2 nodes\ntest       2 nodes\nvalidation 1 nodes\n"),
                    HasSubstr("data {\n  heterophilous {\n    path: "), Not(HasSubstr("float32"))));
  EXPECT_THAT(input_error([&] { describe_path(archive, "x"); }), HasSubstr("has no columns to choose from"));
}

TEST(DescribeGraph, snippets_are_scenarios_that_can_be_read) {
  if (!real_data()) GTEST_SKIP() << "SOUK_DATA is not set";
  const auto homophily = [](const std::string& path) {
    const DatasetSummary found = describe_path(*real_data() + path);
    return static_cast<double>(found.graph->edges_within) / static_cast<double>(found.graph->judged_edges);
  };
  EXPECT_NEAR(homophily("/planetoid"), 0.74, 0.01);  // Citeseer is the first by name
  EXPECT_NEAR(homophily("/planetoid/ind.cora.x"), 0.81, 0.001);
  EXPECT_NEAR(homophily("/gnn-benchmark/cora.npz"), 0.81, 0.001);
  EXPECT_NEAR(homophily("/twitch/DE_edges.csv"), 0.632, 0.001);
  EXPECT_LT(homophily("/webkb/texas.content"), 0.2);
  EXPECT_NEAR(homophily("/heterophilous-graphs/tolokers.npz"), 0.595, 0.001);
  EXPECT_GT(homophily("/facebook-pages"), 0.88);
}

}  // namespace
}  // namespace souk::describe_test
