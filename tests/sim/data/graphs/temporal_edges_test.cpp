#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "sim/data/describe.hpp"
#include "tests/sim/data/graphs/graphs.hpp"

namespace souk::temporal_edges_test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using namespace test;

// Nodes 3, 7, 10, 12 and 900, which first have an edge at 40, 20, 0, 0 and 100, and a loop of 5.
const char* const lines =
    "# FROM TO TIME\n10 7 50\n7\t10\t20\n 3  7 \t40 \n\n3 900 100.0\r\n7 3 60\n12 10 0\n  # more\n5 5 10\n";
// Of 2 the ratings are 4 and -4, of 5 -10 and 3, of 9 1; nobody rates 6.
const char* const ratings = "6,2,4,100.5\n6,5,-10,101\n2, 5,3 ,102.25\n5,2,-4,1e2\n5,9,1,103\n";

class TemporalGraph : public testing::Test {
 protected:
  TemporalGraph() {
    write(lines);
    config().set_path(path);
    config().mutable_graph()->set_features(scenario::GraphNodes::IDENTITY);
    split(0.6, 0.2);
  }
  scenario::TemporalEdges& config() { return *data.mutable_temporal_edges(); }
  void split(double train, double validation) {
    scenario::TemporalSplit& split = *config().mutable_graph()->mutable_temporal();
    split.set_train(train), split.set_validation(validation);
  }
  void write(const std::string& text) const { write_file(path, text); }
  std::string error_with(const std::string& text) const {
    write(text);
    return load_error(data);
  }

  TempDirectory directory;
  std::string path = directory / "edges.txt";
  scenario::Data data;
};

TEST_F(TemporalGraph, nodes_are_numbered_by_id_and_split_by_their_first_edge) {
  const OpenGraph open(data);

  EXPECT_THAT(edges_of(open.graph), ElementsAre(Pair(0, 1), Pair(0, 4), Pair(1, 2), Pair(2, 3)));
  EXPECT_THAT(open.graph.train_nodes, ElementsAre(1, 2, 3));
  EXPECT_THAT(open.graph.validation_nodes, ElementsAre(0));
  EXPECT_THAT(open.graph.test_nodes, ElementsAre(4));
  EXPECT_THAT(open.reader->warnings(),
              ElementsAre(HasSubstr("edges.txt: 1 edges from a node to itself are left out"),
                          HasSubstr("2 of 6 edges repeat another, or are its other direction")));
  split(0.4, 0.0);  // 10 before 12 at the same time
  EXPECT_THAT(OpenGraph(data).graph.train_nodes, ElementsAre(2, 3));
  split(0.2, 0.2);
  EXPECT_THAT(OpenGraph(data).graph.train_nodes, ElementsAre(2));
  split(0.8, 0.2);
  EXPECT_THAT(load_error(data), HasSubstr("graph.split.temporal: train = 0.8 and validation = 0.2 leave nothing for"));
}

TEST_F(TemporalGraph, classes_are_those_below_the_median_of_degrees_and_the_others) {
  const OpenGraph open(data);

  EXPECT_THAT(open.reader->shape(Split::train).class_names, ElementsAre("few neighbours", "many neighbours"));
  EXPECT_THAT(open.graph.labels, ElementsAre(1, 1, 1, 0, 0));  // 2, 2, 2, 1 and 1 neighbours
  EXPECT_THAT(error_with("1 2 0\n2 3 1\n3 1 2\n"), HasSubstr("more than half of the 3 nodes have 2 neighbours"));
  EXPECT_THAT(
      error_with("1 2 0\n1 3 1\n1 4 2\n1 3 5\n"),
      HasSubstr("more than half of the 4 nodes have 1 neighbours, and none has less: there are no two classes"));
}

TEST_F(TemporalGraph, edges_behind_a_share_of_the_time_are_left_out_and_so_are_nodes_without_others) {
  config().set_until(0.5);
  const OpenGraph half(data);  // up to 50
  EXPECT_THAT(edges_of(half.graph), ElementsAre(Pair(0, 1), Pair(1, 2), Pair(2, 3)));
  EXPECT_THAT(half.graph.labels, ElementsAre(0, 1, 1, 0));
  config().set_until(0.49);
  EXPECT_THAT(load_error(data), IsEmpty());
  EXPECT_EQ(OpenGraph(data).reader->warnings().size(), 1U);  // 10 to 7 at 50 repeated 7 to 10
  config().set_until(0.1);
  EXPECT_THAT(load_error(data), HasSubstr("more than half of the 2 nodes have 1 neighbours"));
}

TEST_F(TemporalGraph, ratings_are_passed_over_or_make_the_classes) {
  write(ratings);
  const OpenGraph by_degree(data);
  EXPECT_THAT(edges_of(by_degree.graph), ElementsAre(Pair(0, 1), Pair(0, 2), Pair(1, 2), Pair(1, 3)));
  EXPECT_THAT(by_degree.graph.labels, ElementsAre(1, 1, 1, 0));
  config().set_classes(scenario::TemporalEdges::RATING);
  split(0.34, 0.34);
  const OpenGraph open(data);
  EXPECT_THAT(open.reader->shape(Split::train).class_names, ElementsAre("rated 0 or less", "rated above 0"));
  EXPECT_THAT(open.graph.labels, ElementsAre(0, 0, -1, 1));
  EXPECT_THAT(open.graph.train_nodes, ElementsAre(0));
  EXPECT_THAT(open.graph.validation_nodes, ElementsAre(1));
  EXPECT_THAT(open.graph.test_nodes, ElementsAre(3));
  EXPECT_THAT(error_with("1,2,3,0\n2,3,1,1\n"), HasSubstr("no node is rated 0 or less in the mean"));
  EXPECT_THAT(error_with("1,2,-3,0\n2,3,0,1\n3,3,9,2\n"), HasSubstr("no node is rated above 0 in the mean"));
  EXPECT_THAT(error_with(lines), HasSubstr("classes = RATING: its lines are FROM TO TIME and have no ratings"));
}

TEST_F(TemporalGraph, may_be_packed) {
  const std::string text = lines;
  const Bytes packed = gzip(Bytes(text.begin(), text.end()));
  write_file(path, packed);
  EXPECT_EQ(OpenGraph(data).nodes(), 5U);
  write_file(path, Bytes(packed.begin(), packed.end() - 12));
  EXPECT_THAT(load_error(data), HasSubstr("edges.txt: ends early: packed data cut short"));
}

TEST_F(TemporalGraph, ids_and_times_may_be_as_large_as_numbers_are) {
  write("18446744073709551614 7 -1.7e308\n7 0 1.7e308\n0 8 0\n8 7 -1\n");
  config().set_until(0.5);
  split(0.5, 0.0);
  EXPECT_THAT(edges_of(OpenGraph(data).graph), ElementsAre(Pair(0, 2), Pair(1, 2), Pair(1, 3)));
}

TEST_F(TemporalGraph, names_what_is_wrong) {
  EXPECT_THAT(error_with(""), HasSubstr("edges.txt: has no edge between two nodes"));
  EXPECT_THAT(error_with("# 1 2 3\n\n4 4 4\n"), HasSubstr("has no edge between two nodes"));
  EXPECT_THAT(error_with("1 2 3\n1 2\n"), HasSubstr("line 2: 2 fields, must be FROM TO TIME"));
  EXPECT_THAT(error_with("1 2 3 4\n"), HasSubstr("line 1: 4 fields, must be FROM TO TIME"));
  EXPECT_THAT(error_with("1,2,3\n"), HasSubstr("line 1: 3 fields, must be FROM,TO,RATING,TIME"));
  EXPECT_THAT(error_with("1,2,3,4\n1 2 4\n"), HasSubstr("line 2: 1 fields, must be FROM,TO,RATING,TIME"));
  EXPECT_THAT(error_with("source,target,rating,time\n"), HasSubstr("line 1: \"source\" is no node's id"));
  for (const char* id : {"-1", "1.5", "18446744073709551615", "99999999999999999999999999", "0x1", "nan"}) {
    EXPECT_THAT(error_with(fmt::format("1 {} 3\n", id)), HasSubstr(fmt::format("line 1: \"{}\" is no node's id", id)));
  }
  EXPECT_THAT(error_with("1,,3,4\n"), HasSubstr("line 1: \"\" is no node's id"));
  for (const char* time : {"nan", "-inf", "1e999", "noon", "3x"}) {
    EXPECT_THAT(error_with(fmt::format("1 2 0\n2 1 {}\n", time)),
                HasSubstr(fmt::format("line 2: the time \"{}\" is not a finite number", time)));
  }
  EXPECT_THAT(error_with("1,2,3,\n"), HasSubstr("line 1: the time \"\" is not a finite number"));
  EXPECT_THAT(error_with("1,2,good,3\n"), HasSubstr("line 1: the rating \"good\" is not a finite number"));
  EXPECT_THAT(error_with(std::string("1 2 3\n\0", 7)), HasSubstr("is no text: byte 6 is zero"));
  write(lines);
  config().mutable_graph()->mutable_published();
  EXPECT_THAT(load_error(data), HasSubstr("the files say nothing of which nodes are for training"));
  config().mutable_graph()->mutable_random();
  config().mutable_graph()->set_features(scenario::GraphNodes::OWN);
  EXPECT_THAT(load_error(data), HasSubstr("its nodes have no features: choose graph.features = DEGREE or IDENTITY"));
}

TEST_F(TemporalGraph, survives_damage) {
  survive_damage(path, [this] { load(data, Split::train); });
  write(ratings);
  config().set_classes(scenario::TemporalEdges::RATING);
  survive_damage(path, [this] { load(data, Split::train); });
  const std::string text = ratings;
  write_file(path, gzip(Bytes(text.begin(), text.end())));
  survive_damage(path, [this] { load(data, Split::train); });
}

// `count` lines of a format that takes their number.
template <class Line>
std::string text_of(int count, const Line& line) {
  std::string text;
  for (int i = 0; i < count; ++i) text += line(i);
  return text;
}

TEST(RecogniseTemporalEdges, times_show_in_their_size_or_their_number) {
  const TempDirectory directory;
  const std::string seconds = text_of(4, [](int i) { return fmt::format("{} {} {}\n", i, i + 1, 1'082'040'961 + i); });
  write_file(directory / "seconds.txt", "# a comment\n" + seconds);
  const std::string small = text_of(30, [](int i) { return fmt::format("{} {} {}\n", i, i + 1, 7 * i); });
  write_file(directory / "small.txt.gz", gzip(Bytes(small.begin(), small.end())));
  const std::string rated =
      text_of(40, [](int i) { return fmt::format("{},{},{},{}.5\n", i, i + 1, i % 3 - 1, 1'289'241'911 + i); });
  write_file(directory / "rated.csv", rated);

  for (const char* name : {"seconds.txt", "small.txt.gz", "rated.csv"}) {
    const DatasetSummary found = describe_path(directory / name);
    EXPECT_EQ(found.format, "edges with times") << name;
    EXPECT_THAT(found.snippet, AllOf(HasSubstr(fmt::format("temporal_edges {{\n    path: \"{}\"", directory / name)),
                                     HasSubstr("features: DEGREE"), HasSubstr("temporal {\n")))
        << name;
  }
  EXPECT_THAT(describe_path(directory / "rated.csv").text(), HasSubstr("classes: RATING tells nodes apart by"));
  EXPECT_EQ(describe_path(directory / "rated.csv", "c2").format, "table");
}

TEST(RecogniseTemporalEdges, other_tables_of_numbers_stay_tables) {
  const TempDirectory directory;
  const auto format_of = [&](const std::string& name, const std::string& text) {
    write_file(directory / name, text);
    std::string found;
    input_error([&] { found = describe_path(directory / name).format; });
    return found;
  };
  const auto survival = [](int i) { return fmt::format("{},{},{},{}\n", 30 + i, 60 + i % 9, i, 1 + i % 2); };
  EXPECT_EQ(format_of("survival.csv", text_of(40, survival)), "table");
  const auto stars = [](int i) { return fmt::format("{} {} {}\n", 1 + i / 3, i, 0.5 * (i % 8)); };
  EXPECT_NE(format_of("stars.txt", text_of(40, stars)), "edges with times");
  const auto films = [](int i) { return fmt::format("{},{},{},{}\n", i / 4, i, i % 5, 1'082'040'961 + i); };
  EXPECT_EQ(format_of("films.csv", "user,film,rating,time\n" + text_of(40, films)), "table");
}

struct Counts {
  const char* name;
  std::size_t lines, nodes, edges, below;  ///< below: the median of degrees
};

TEST(RealTemporalEdges, have_snaps_counts) {
  if (!real_data()) GTEST_SKIP() << "SOUK_DATA is not set";
  for (const Counts& counts : {Counts{"CollegeMsg.txt", 59'835, 1899, 13'838, 864},
                               Counts{"email-Eu-core-temporal.txt.gz", 332'334, 986, 16'064, 485},
                               Counts{"soc-sign-bitcoinotc.csv", 35'592, 5881, 21'492, 2260}}) {
    scenario::Data data;
    scenario::TemporalEdges& config = *data.mutable_temporal_edges();
    config.set_path(std::string("${SOUK_DATA}/temporal/") + counts.name);
    config.mutable_graph()->set_features(scenario::GraphNodes::DEGREE);
    config.mutable_graph()->mutable_temporal();
    const OpenGraph open(data);
    EXPECT_EQ(open.nodes(), counts.nodes) << counts.name;
    EXPECT_EQ(open.edges(), counts.edges) << counts.name;
    EXPECT_EQ(std::ranges::count(open.graph.labels, 0), static_cast<std::ptrdiff_t>(counts.below)) << counts.name;
    EXPECT_THAT(
        open.reader->warnings(),
        ElementsAre(HasSubstr(fmt::format("{} of {} edges repeat", counts.lines - counts.edges, counts.lines))));
    EXPECT_EQ(open.graph.train_nodes.size(), counts.nodes * 70 / 100) << counts.name;
    EXPECT_EQ(open.graph.validation_nodes.size(), counts.nodes * 15 / 100) << counts.name;
    EXPECT_EQ(describe_path(*real_data() + "/temporal/" + counts.name).format, "edges with times");
  }
}

TEST(RealTemporalEdges, bitcoin_traders_are_mostly_trusted) {
  if (!real_data()) GTEST_SKIP() << "SOUK_DATA is not set";
  scenario::Data data;
  scenario::TemporalEdges& config = *data.mutable_temporal_edges();
  config.set_path("${SOUK_DATA}/temporal/soc-sign-bitcoinotc.csv");
  config.set_classes(scenario::TemporalEdges::RATING);
  config.mutable_graph()->set_features(scenario::GraphNodes::DEGREE);
  config.mutable_graph()->mutable_temporal();
  const OpenGraph open(data);
  EXPECT_EQ(std::ranges::count(open.graph.labels, 1), 5009);
  EXPECT_EQ(std::ranges::count(open.graph.labels, 0), 849);
  EXPECT_EQ(std::ranges::count(open.graph.labels, -1), 23);
  // The first to trade are rated in the file's first lines: 6 rates 2 and 5.
  for (const NodeIndex v : {1, 4, 5}) EXPECT_TRUE(std::ranges::binary_search(open.graph.train_nodes, v)) << v;
}

}  // namespace
}  // namespace souk::temporal_edges_test
