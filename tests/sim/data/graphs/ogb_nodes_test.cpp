#include <gmock/gmock.h>

#include "sim/data/describe.hpp"
#include "tests/sim/data/graphs/graphs.hpp"

namespace souk::ogb_nodes_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using namespace test;

// Five nodes, of which node 3 has no class.
class OgbGraph : public testing::Test {
 protected:
  OgbGraph() {
    data.mutable_ogb_nodes()->set_directory(directory.path());
    write("raw/edge", "0,1\n1,4\n3,2\n4,1\n");
    write("raw/node-feat", "0.5,0,-1\n0,0,0\n1,1,1\n0,2.5e-1,0\n0,0,3\n");
    write("raw/node-label", "1\n0\n1.0\nnan\n0\n");
    write("raw/num-node-list", "5\n");
    write("raw/num-edge-list", "4\n");
    write("split/time/train", "0\n1\n");
    write("split/time/valid", "4\n");
    write("split/time/test", "2\n");
  }
  std::string path(const std::string& file) const { return directory / (file + ".csv.gz"); }
  void write(const std::string& file, const std::string& text) {
    write_file(path(file), gzip(Bytes(text.begin(), text.end())));
  }
  std::string error_with(const std::string& file, const std::string& text) {
    const Bytes before = read_file(path(file));
    write(file, text);
    const std::string error = load_error(data);
    write_file(path(file), before);
    return error;
  }
  TempDirectory directory;
  scenario::Data data;
};

TEST_F(OgbGraph, has_the_split_of_its_only_folder) {
  const OpenGraph open(data);

  EXPECT_THAT(edges_of(open.graph), ElementsAre(Pair(0, 1), Pair(1, 4), Pair(2, 3)));
  EXPECT_THAT(rows_of(open.graph.features),
              ElementsAre(Row{{0, 0.5F}, {2, -1}}, Row{}, Row{{0, 1}, {1, 1}, {2, 1}}, Row{{1, 0.25F}}, Row{{2, 3}}));
  EXPECT_THAT(open.graph.train_nodes, ElementsAre(0, 1));
  EXPECT_THAT(open.graph.validation_nodes, ElementsAre(4));
  EXPECT_THAT(open.graph.test_nodes, ElementsAre(2));
  EXPECT_THAT(open.labels(Split::train), ElementsAre(1, 0));
  EXPECT_THAT(open.labels(Split::test), ElementsAre(1));
  EXPECT_THAT(open.reader->shape(Split::train).class_names, ElementsAre("0", "1"));
  EXPECT_THAT(open.reader->warnings(),
              ElementsAre(HasSubstr("1 of 4 edges repeat another, or are its other direction")));
}

TEST_F(OgbGraph, may_be_unpacked_without_features_and_have_several_splits) {
  std::filesystem::remove(path("raw/node-feat"));
  std::filesystem::remove(path("raw/edge"));
  write_file(directory / "raw/edge.csv", std::string("4,0\n"));
  data.mutable_ogb_nodes()->mutable_graph()->set_features(scenario::GraphNodes::IDENTITY);
  EXPECT_THAT(edges_of(OpenGraph(data).graph), ElementsAre(Pair(0, 4)));
  write("split/other/train", "2\n");
  write("split/other/valid", "");
  write("split/other/test", "1\n0\n");
  EXPECT_THAT(load_error(data), HasSubstr("choose task.data.ogb_nodes.split_name: other, time"));
  data.mutable_ogb_nodes()->set_split_name("other");
  EXPECT_THAT(OpenGraph(data).graph.test_nodes, ElementsAre(0, 1));
  data.mutable_ogb_nodes()->set_split_name("third");
  EXPECT_THAT(load_error(data), HasSubstr("has no split \"third\"; it has: other, time"));
}

TEST_F(OgbGraph, names_what_is_wrong) {
  EXPECT_THAT(error_with("raw/edge", "0,5\n"), HasSubstr("edge.csv.gz: line 1: \"5\" is none of the 5 nodes"));
  EXPECT_THAT(error_with("raw/edge", "0,1,2\n"), HasSubstr("line 1: must be two nodes"));
  EXPECT_THAT(error_with("raw/edge", "source,target\n"), HasSubstr("\"source\" is none of the 5 nodes"));
  EXPECT_THAT(error_with("raw/num-node-list", "5\n3\n"), HasSubstr("line 2: there are several graphs: one is read"));
  EXPECT_THAT(error_with("raw/num-node-list", "7\n"), HasSubstr("says \"7\" nodes, node-label has 5 lines"));
  EXPECT_THAT(error_with("raw/num-node-list", ""), HasSubstr("says no number of nodes"));
  EXPECT_THAT(error_with("raw/node-label", "0,1\n"), HasSubstr("line 1: a node has several labels"));
  EXPECT_THAT(error_with("raw/node-label", "0\n0.5\n"), HasSubstr("line 2: \"0.5\" is no class"));
  EXPECT_THAT(error_with("raw/node-label", "0\n-1\n"), HasSubstr("line 2: \"-1\" is no class"));
  EXPECT_THAT(error_with("raw/node-feat", "1,2\n1\n"), HasSubstr("line 2: 1 features, the first line has 2"));
  EXPECT_THAT(error_with("raw/node-feat", "1,2\n"), HasSubstr("1 lines for 5 nodes"));
  EXPECT_THAT(error_with("raw/node-feat", "1\n1\n1\n1\n1\n1\n"), HasSubstr("line 6: there are 5 nodes"));
  EXPECT_THAT(error_with("raw/node-feat", "1\n1\ninf\n1\n1\n"),
              HasSubstr("line 3: \"inf\" is not a finite float32 number"));
  EXPECT_THAT(error_with("split/time/test", "1\n"), HasSubstr("node 1 is in the split twice"));
  EXPECT_THAT(error_with("split/time/test", "9\n"), HasSubstr("\"9\" is none of the 5 nodes"));
  EXPECT_THAT(error_with("split/time/test", "3\n"), HasSubstr("node 3 is in the split and has no class"));
  std::filesystem::remove(path("split/time/test"));
  EXPECT_THAT(load_error(data), HasSubstr("there is no test.csv.gz"));
  std::filesystem::remove_all(directory / "split");
  EXPECT_THAT(load_error(data), HasSubstr("the files say nothing of which nodes are for training"));
}

TEST_F(OgbGraph, survives_damage) {
  for (const char* file : {"raw/edge", "raw/node-feat", "raw/node-label"}) {
    const Bytes packed = read_file(path(file));
    if (std::string(file) == "raw/edge") survive_damage(path(file), [this] { load(data, Split::train); });
    std::filesystem::remove(path(file));  // unpacked, or what packs it would notice most
    const std::string unpacked = directory / (std::string(file) + ".csv");
    const std::string text = std::string(file) == "raw/edge" ? "0,1\n1,4\n3,2\n" : "0\n1\n1\n0\n1\n";
    write_file(unpacked, text);
    survive_damage(unpacked, [this] { load(data, Split::train); });
    std::filesystem::remove(unpacked);
    write_file(path(file), packed);
  }
}

TEST_F(OgbGraph, is_described_by_its_directory) {
  EXPECT_THAT(describe_path(directory.path()).snippet, HasSubstr("ogb_nodes"));
}

}  // namespace
}  // namespace souk::ogb_nodes_test
