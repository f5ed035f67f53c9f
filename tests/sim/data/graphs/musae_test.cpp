#include <fmt/format.h>
#include <gmock/gmock.h>

#include "sim/data/describe.hpp"
#include "tests/sim/data/graphs/graphs.hpp"

namespace souk::musae_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using namespace test;

// Five nodes, rows in another order; node 4 has no features and node 1 names one twice.
class MusaeGraph : public testing::Test {
 protected:
  MusaeGraph() {
    musae().set_directory(directory.path()), musae().set_name("A");
    musae().mutable_graph()->mutable_random();
    write("A_edges.csv", "from,to\n0,3\n1,2\n3,0\n4,4\n");
    write("A_features.json", R"({"3": [7, 2], "0": [1], "1": [0, 5, 0], "2": []})");
    write("A_target.csv",
          "id,days,mature,views,partner,new_id\n900,1,True,9,False,3\n901,2,False,8,False,0\n"
          "902,3,True,7,True,1\n903,4,False,6,False,2\n904,5,False,5,False,4\n");
    write("B_edges.csv", "from,to\n1,0\n");
    write("B_features.json", R"({"0": [9], "1": [0]})");
    write("B_target.csv", "id,days,mature,views,partner,new_id\n1,1,True,9,False,1\n2,2,False,8,False,0\n");
  }
  scenario::Musae& musae() { return *data.mutable_musae(); }
  void write(const std::string& file, const std::string& content) { write_file(directory / file, content); }
  std::string error_with(const std::string& file, const std::string& content) {
    const Bytes before = read_file(directory / file);
    write(file, content);
    const std::string error = load_error(data);
    write_file(directory / file, before);
    return error;
  }
  TempDirectory directory;
  scenario::Data data;
};

TEST_F(MusaeGraph, new_ids_number_the_nodes) {
  musae().set_test_name("B");
  musae().mutable_graph()->mutable_published();
  const OpenGraph open(data);

  EXPECT_THAT(edges_of(open.graph), ElementsAre(Pair(0, 3), Pair(1, 2), Pair(5, 6)));
  EXPECT_THAT(rows_of(open.graph.features), ElementsAre(Row{{1, 1}}, Row{{0, 1}, {5, 1}}, Row{}, Row{{2, 1}, {7, 1}},
                                                        Row{}, Row{{9, 1}}, Row{{0, 1}}));
  EXPECT_THAT(open.graph.features.values, IsEmpty());
  EXPECT_EQ(open.graph.features.width, 10U);  // the larger of both
  EXPECT_THAT(open.graph.train_nodes, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(open.graph.test_nodes, ElementsAre(5, 6));
  EXPECT_THAT(open.reader->shape(Split::train).class_names, ElementsAre("False", "True"));
  EXPECT_THAT(open.labels(Split::train), ElementsAre(0, 1, 0, 1, 0));
  EXPECT_THAT(open.labels(Split::test), ElementsAre(0, 1));
  EXPECT_THAT(load(*open.reader, Split::train).groups, ElementsAre(0, 0, 0, 0, 0));
  EXPECT_THAT(load(*open.reader, Split::test).groups, ElementsAre(1, 1));
  EXPECT_THAT(open.reader->warnings(),
              ElementsAre(HasSubstr("A_features.json: 1 of 5 nodes are not there and have no features"),
                          HasSubstr("1 of 6 features are named again"), HasSubstr("1 edges from a node to itself"),
                          HasSubstr("1 of 4 edges repeat another")));
}

TEST_F(MusaeGraph, noise_on_edges_joins_no_two_graphs) {
  musae().set_test_name("B");
  musae().mutable_graph()->mutable_published();
  musae().mutable_graph()->mutable_edge_rand()->set_epsilon(0.01);
  std::size_t of_first = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const OpenGraph open(data, seed);
    for (const auto& [a, b] : edges_of(open.graph)) {
      EXPECT_EQ(a < 5, b < 5);
      of_first += b < 5 ? 1 : 0;
    }
    EXPECT_EQ(open.graph.true_neighbours.size(), 6U);
  }
  EXPECT_GT(of_first, 60U);  // of 200 pairs
}

TEST_F(MusaeGraph, any_column_may_be_the_class_and_rows_that_agree_may_repeat) {
  write("A_target.csv", "id,page,kind\n0,\"a, b\",tv\n2,,film\n1,x,tv\n3,y,?\n4,z,film\n1,x,tv\n");
  musae().set_label("kind");
  const OpenGraph open(data);
  EXPECT_THAT(open.reader->shape(Split::train).class_names, ElementsAre("film", "tv"));
  EXPECT_EQ(open.graph.train_nodes.size() + open.graph.validation_nodes.size() + open.graph.test_nodes.size(), 4U);
  EXPECT_THAT(open.reader->warnings()[0], HasSubstr("1 rows say of a node what another has said"));
  const std::string twice = "id,kind\n0,tv\n2,film\n1,tv\n3,tv\n4,film\n1,film\n";
  EXPECT_THAT(error_with("A_target.csv", twice), HasSubstr("line 7: node 1 has another"));
}

TEST_F(MusaeGraph, names_what_is_wrong) {
  EXPECT_THAT(error_with("A_edges.csv", "from,to\n0,5\n"),
              HasSubstr("A_edges.csv: line 2: \"5\" is none of the 5 nodes"));
  EXPECT_THAT(error_with("A_edges.csv", "from,to\n0,-1\n"), HasSubstr("is none of the 5 nodes"));
  EXPECT_THAT(error_with("A_edges.csv", "a,b,c\n0,1,1\n"), HasSubstr("3 columns, must be two"));
  EXPECT_THAT(error_with("A_features.json", R"({"7": [1]})"), HasSubstr("\"7\" is none of the 5 nodes"));
  EXPECT_THAT(error_with("A_features.json", R"({"1": [1], "1": []})"), HasSubstr("node 1 is there twice"));
  EXPECT_THAT(error_with("A_features.json", R"({"1": [1, "x"]})"), HasSubstr("node 1: \"x\" where a list of features"));
  EXPECT_THAT(error_with("A_features.json", R"({"1": [[1]]})"), HasSubstr("node 1: a list where"));
  EXPECT_THAT(error_with("A_features.json", R"({"1": 3})"), HasSubstr("node 1: 3 where"));
  EXPECT_THAT(error_with("A_features.json", R"({"1": [99999999999]})"), HasSubstr("node 1: 99999999999 where"));
  EXPECT_THAT(error_with("A_features.json", "[1]"), HasSubstr("a list where an object of nodes belongs"));
  EXPECT_THAT(error_with("A_features.json", R"({"1": [1)"), HasSubstr("A_features.json: byte"));
  EXPECT_THAT(error_with("A_target.csv", "id,mature\n0,True\n1,False\n1000000000,True\n"),
              HasSubstr("line 4: \"1000000000\" is no node: 3 rows number them from 0"));
  EXPECT_THAT(error_with("A_target.csv", "id,mature\n0,True\n2,False\n2,False\n"), HasSubstr("node 1 of 3 has no row"));
  musae().set_label("kind");
  EXPECT_THAT(load_error(data), HasSubstr("has no column \"kind\": choose task.data.musae.label; it has: id, days"));
  musae().set_label("mature"), musae().clear_graph();
  EXPECT_THAT(load_error(data), HasSubstr("the files say nothing of which nodes are for training"));
  musae().set_name("C");
  EXPECT_THAT(load_error(data), HasSubstr("C_target.csv"));
}

TEST_F(MusaeGraph, refuses_a_number_that_measures_something) {
  std::string target = "id,target\n";
  for (int i = 0; i < 150; ++i) target += fmt::format("{},{}\n", i, 3 * i);
  musae().set_label("target");
  EXPECT_THAT(error_with("A_target.csv", target), HasSubstr("column \"target\" holds 150 different numbers"));
}

TEST_F(MusaeGraph, survives_damage) {
  for (const char* file : {"A_edges.csv", "A_features.json", "A_target.csv"}) {
    survive_damage(directory / file, [this] { load(data, Split::train); });
  }
}

TEST_F(MusaeGraph, is_described_by_its_directory_or_one_of_its_files) {
  EXPECT_THAT(describe_path(directory.path()).snippet, HasSubstr("name: \"A\""));
  write("B_target.csv", "id,days,kind\n0,1,x\n1,2,y\n");
  EXPECT_THAT(describe_path(directory / "B_edges.csv").snippet, HasSubstr("name: \"B\"\n    label: \"kind\""));
  EXPECT_THAT(describe_path(directory / "B_edges.csv", "days").snippet, HasSubstr("label: \"days\""));
}

struct TwitchCounts {
  const char* name;
  std::size_t nodes, edges, entries, mature;  // entries: those named again count once
};

TEST(RealMusae, has_the_counts_of_the_paper) {
  if (!real_data()) GTEST_SKIP() << "SOUK_DATA is not set";
  scenario::Data data;
  scenario::Musae& musae = *data.mutable_musae();
  musae.set_directory("${SOUK_DATA}/twitch"), musae.set_test_name("RU");
  for (const TwitchCounts& counts :
       {TwitchCounts{"DE", 9498, 153'138, 193'132, 5742}, TwitchCounts{"ENGB", 7126, 35'324, 147'683, 3888},
        TwitchCounts{"ES", 4648, 59'382, 89'798, 1360}, TwitchCounts{"FR", 6549, 112'666, 128'983, 2414}}) {
    musae.set_name(counts.name);
    const OpenGraph open(data);
    EXPECT_THAT(open.graph.train_nodes, SizeIs(counts.nodes)) << counts.name;
    EXPECT_THAT(open.graph.test_nodes, SizeIs(4385)) << counts.name;
    EXPECT_EQ(open.edges(), counts.edges + 37'304) << counts.name;
    EXPECT_EQ(open.graph.features.width, 3170U) << counts.name;
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(open.labels(Split::train), 1)), counts.mature) << counts.name;
    EXPECT_EQ(std::ranges::count(open.labels(Split::test), 1), 1075) << counts.name;
    EXPECT_EQ(open.graph.features.columns.size(), counts.entries + 90'285) << counts.name;
  }
  musae.set_directory("${SOUK_DATA}/facebook-pages"), musae.set_name("facebook"), musae.set_test_name("");
  musae.set_label("page_type"), musae.mutable_graph()->mutable_random();
  const OpenGraph pages(data);
  EXPECT_EQ(pages.nodes(), 22'470U);
  EXPECT_EQ(pages.edges(), 171'002U - 179U);
  EXPECT_EQ(pages.graph.features.width, 4714U);
  EXPECT_EQ(pages.graph.features.columns.size(), 314'583U);
  EXPECT_THAT(pages.reader->shape(Split::train).class_names,
              ElementsAre("company", "government", "politician", "tvshow"));

  musae.set_directory("${SOUK_DATA}/wikipedia"), musae.set_name("chameleon"), musae.set_label("target");
  EXPECT_THAT(load_error(data), HasSubstr("different numbers: it measures something"));
}

}  // namespace
}  // namespace souk::musae_test
