#include <gmock/gmock.h>

#include "sim/data/describe.hpp"
#include "tests/sim/data/graphs/graphs.hpp"

namespace souk::linqs_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using namespace test;

const char* const content = "p\t1\t0\t0\tTheory\nq 2\t0\t1\t1\tAgents\n35\t0\t0\t0\tTheory\nr\t0.5\t0\t1\tAgents\n";
const char* const cites = "p\tq 2\n35\tr\nq 2\tp\nr\tr\nghost\tp\n";

class LinqsGraph : public testing::Test {
 protected:
  LinqsGraph() {
    write_file(directory / "a.content", std::string(content));
    write_file(directory / "a.cites", std::string(cites));
    data.mutable_linqs()->set_content(directory / "a.content");
    scenario::PerClassSplit& split = *data.mutable_linqs()->mutable_graph()->mutable_per_class();
    split.set_train(1), split.set_validation(0), split.set_test(2);
  }
  std::string error_with(const std::string& file, const std::string& text) {
    const Bytes before = read_file(directory / file);
    write_file(directory / file, text);
    const std::string error = load_error(data);
    write_file(directory / file, before);
    return error;
  }
  TempDirectory directory;
  scenario::Data data;
};

TEST_F(LinqsGraph, ids_are_words_and_edges_to_unknown_ones_are_left_out) {
  const OpenGraph open(data);

  EXPECT_THAT(edges_of(open.graph), ElementsAre(Pair(0, 1), Pair(2, 3)));
  EXPECT_THAT(rows_of(open.graph.features),
              ElementsAre(Row{{0, 1}}, Row{{1, 1}, {2, 1}}, Row{}, Row{{0, 0.5F}, {2, 1}}));
  EXPECT_EQ(open.graph.features.width, 3U);
  EXPECT_THAT(open.reader->shape(Split::train).class_names, ElementsAre("Agents", "Theory"));
  EXPECT_THAT(open.labels(Split::train), testing::UnorderedElementsAre(0, 1));
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(open.labels(Split::train)[i], open.graph.train_nodes[i] % 2 == 0 ? 1 : 0);
    EXPECT_EQ(open.labels(Split::test)[i], open.graph.test_nodes[i] % 2 == 0 ? 1 : 0);
  }
  EXPECT_THAT(open.reader->warnings(),
              ElementsAre(HasSubstr("a.cites: 1 edges name a node that"), HasSubstr("1 edges from a node to itself"),
                          HasSubstr("1 of 3 edges repeat another")));
}

TEST_F(LinqsGraph, cites_may_be_elsewhere_packed_and_separated_by_spaces) {
  std::filesystem::remove(directory / "a.cites");
  EXPECT_THAT(load_error(data), HasSubstr("there is no .cites file beside it"));
  const std::string links = "p 35\n35 r \n";
  write_file(directory / "links.txt", gzip(Bytes(links.begin(), links.end())));
  data.mutable_linqs()->set_cites(directory / "links.txt");
  EXPECT_THAT(edges_of(OpenGraph(data).graph), ElementsAre(Pair(0, 2), Pair(2, 3)));
}

TEST_F(LinqsGraph, names_what_is_wrong) {
  EXPECT_THAT(error_with("a.content", "p\t1\t0\tA\nq\t1\tB\n"),
              HasSubstr("a.content: line 2: 1 features, the first line has 2"));
  EXPECT_THAT(error_with("a.content", "p\t1\t0\tA\np\t1\t1\tB\n"), HasSubstr("line 2: node \"p\" is there twice"));
  EXPECT_THAT(error_with("a.content", "p\t1\tx\tA\n"), HasSubstr("line 1: \"x\" is not a finite float32 number"));
  EXPECT_THAT(error_with("a.content", "p\t1\t1e99\tA\n"), HasSubstr("\"1e99\" is not a finite float32 number"));
  EXPECT_THAT(error_with("a.content", "p\tA\n"), HasSubstr("line 1: must be a node's id, its features and its class"));
  EXPECT_THAT(error_with("a.content", "\n"), HasSubstr("a.content: 0 nodes"));
  EXPECT_THAT(error_with("a.cites", "p\tq 2\t35\n"), HasSubstr("a.cites: line 1: must be the ids of two nodes"));
}

TEST_F(LinqsGraph, survives_damage) {
  for (const char* file : {"a.content", "a.cites"})
    survive_damage(directory / file, [this] { load(data, Split::train); });
}

TEST_F(LinqsGraph, is_described_by_either_file_or_the_directory) {
  for (const std::string& path : {directory / "a.content", directory / "a.cites", directory.path()}) {
    EXPECT_THAT(describe_path(path).snippet, HasSubstr("content: \"" + directory / "a.content"));
  }
}

struct Counts {
  const char* name;
  std::size_t nodes, edges, entries;
};

TEST(RealLinqs, has_the_counts_of_webkb) {
  if (!real_data()) GTEST_SKIP() << "SOUK_DATA is not set";
  scenario::Data data;
  data.mutable_linqs()->mutable_graph()->mutable_random();
  for (const Counts& counts : {Counts{"cornell", 195, 283, 18'496}, Counts{"texas", 187, 280, 15'437},
                               Counts{"washington", 230, 366, 19'953}}) {
    data.mutable_linqs()->set_content(std::string("${SOUK_DATA}/webkb/") + counts.name + ".content");
    const OpenGraph open(data);
    EXPECT_EQ(open.nodes(), counts.nodes) << counts.name;
    EXPECT_EQ(open.edges(), counts.edges) << counts.name;  // of 304, 328 and 446 links with loops and both directions
    EXPECT_EQ(open.graph.features.columns.size(), counts.entries) << counts.name;
    EXPECT_EQ(open.graph.features.width, 1703U) << counts.name;
    EXPECT_THAT(open.reader->shape(Split::train).class_names,
                ElementsAre("course", "faculty", "project", "staff", "student"));
  }
}

}  // namespace
}  // namespace souk::linqs_test
