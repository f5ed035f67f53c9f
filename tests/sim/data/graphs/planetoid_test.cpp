#include <cstring>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "sim/data/describe.hpp"
#include "sim/data/graphs/pickle.hpp"
#include "tests/sim/data/graphs/graphs.hpp"

namespace souk::planetoid_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using namespace test;

/// Pickles as Python 2 writes them with protocol 2.
class Pickler {
 public:
  Pickler& put(const std::string& bytes) { return out_ += bytes, *this; }
  Pickler& name(const std::string& module, const std::string& what) { return put("c" + module + "\n" + what + "\n"); }
  Pickler& integer(std::int32_t value) { return put("J" + stored(value)); }
  Pickler& text(const std::string& text) { return put("T" + stored(static_cast<std::int32_t>(text.size())) + text); }

  template <class Value>
  Pickler& array(const std::string& type, const std::vector<std::int32_t>& shape, const std::vector<Value>& values) {
    name("numpy.core.multiarray", "_reconstruct").name("numpy", "ndarray");
    put("K").put(std::string(1, '\0')).put("\x85").text("b").put("\x87R(").integer(1).put("(");
    for (const std::int32_t size : shape) integer(size);
    put("t").name("numpy", "dtype").text(type).integer(0).integer(1).put("\x87R(").integer(3).text("<");
    put("NNN").integer(-1).integer(-1).integer(0).put("tb\x89");
    std::string raw(values.size() * sizeof(Value), '\0');
    std::memcpy(raw.data(), values.data(), raw.size());
    return text(raw).put("tb");
  }

  Pickler& matrix(std::int32_t rows, std::int32_t width, const std::vector<std::int32_t>& begin,
                  const std::vector<std::int32_t>& columns, const std::vector<float>& values) {
    name("scipy.sparse.csr", "csr_matrix").put(")\x81}(").text("format").text("csr").text("_shape");
    integer(rows).integer(width).put("\x86").text("indptr");
    array("i4", {static_cast<std::int32_t>(begin.size())}, begin).text("indices");
    array("i4", {static_cast<std::int32_t>(columns.size())}, columns).text("data");
    return array("f4", {static_cast<std::int32_t>(values.size())}, values).put("ub");
  }

  Pickler& lists(const std::vector<std::vector<std::int32_t>>& lists) {
    name("collections", "defaultdict").name("__builtin__", "list").put("\x85R(");
    for (std::size_t v = 0; v < lists.size(); ++v) {
      integer(static_cast<std::int32_t>(v)).put("](");
      for (const std::int32_t neighbour : lists[v]) integer(neighbour);
      put("e");
    }
    return put("u");
  }

  std::string done() const { return "\x80\x02" + out_ + "."; }

 private:
  static std::string stored(std::int32_t value) {
    std::string bytes(4, '\0');
    std::memcpy(bytes.data(), &value, 4);
    return bytes;
  }
  std::string out_;
};

std::string one_hot(const std::vector<std::int32_t>& values) {
  return Pickler().array("i4", {static_cast<std::int32_t>(values.size() / 2), 2}, values).done();
}

// Nodes 0 to 2 are in allx, 0 of them in x; rows of tx are nodes 5 and 3; nobody describes node 4.
class PlanetoidGraph : public testing::Test {
 protected:
  PlanetoidGraph() {
    scenario::Planetoid& planetoid = *data.mutable_planetoid();
    planetoid.set_directory(directory.path()), planetoid.set_name("tiny");
    write("x", Pickler().matrix(1, 3, {0, 2}, {2, 0}, {1, 1}).done());
    write("allx", Pickler().matrix(3, 3, {0, 2, 2, 3}, {2, 0, 1}, {1, 1, 1}).done());
    write("tx", Pickler().matrix(2, 3, {0, 1, 3}, {1, 0, 2}, {1, 1, 0}).done());
    write("y", one_hot({0, 1}));
    write("ally", one_hot({0, 1, 1, 0, 0, 1}));
    write("ty", one_hot({1, 0, 0, 1}));
    write("graph", Pickler().lists({{1, 2, 1}, {0}, {0, 2, 5}, {5}, {}, {2, 3}}).done());
    write("test.index", "5\n3\n");
  }
  std::string file(const std::string& ending) const { return directory / ("ind.tiny." + ending); }
  void write(const std::string& ending, const std::string& content) { write_file(file(ending), content); }
  std::string error_with(const std::string& ending, const std::string& content) {
    const Bytes before = read_file(file(ending));
    write(ending, content);
    const std::string error = load_error(data);
    write_file(file(ending), before);
    return error;
  }
  TempDirectory directory;
  scenario::Data data;
};

TEST_F(PlanetoidGraph, rows_of_the_test_files_are_the_nodes_that_the_index_names) {
  const OpenGraph open(data);

  EXPECT_THAT(edges_of(open.graph), ElementsAre(Pair(0, 1), Pair(0, 2), Pair(2, 5), Pair(3, 5)));
  EXPECT_THAT(rows_of(open.graph.features),
              ElementsAre(Row{{0, 1}, {2, 1}}, Row{}, Row{{1, 1}}, Row{{0, 1}}, Row{}, Row{{1, 1}}));
  EXPECT_THAT(open.graph.features.values, IsEmpty());  // all are 1
  EXPECT_EQ(open.graph.features.width, 3U);
  EXPECT_THAT(open.graph.train_nodes, ElementsAre(0));
  EXPECT_THAT(open.graph.validation_nodes, ElementsAre(1, 2));
  EXPECT_THAT(open.graph.test_nodes, ElementsAre(3, 5));
  EXPECT_THAT(open.labels(Split::train), ElementsAre(1));
  EXPECT_THAT(open.labels(Split::test), ElementsAre(1, 0));
  EXPECT_THAT(open.reader->shape(Split::train).class_names, ElementsAre("0", "1"));
  EXPECT_THAT(open.reader->warnings(), ElementsAre(HasSubstr("1 edges from a node to itself")));
}

TEST_F(PlanetoidGraph, names_what_does_not_fit_together) {
  EXPECT_THAT(error_with("test.index", "5\n2\n"), HasSubstr("test.index: line 2: must be a node from 3 to 5"));
  EXPECT_THAT(error_with("test.index", "5\n6\n"), HasSubstr("line 2: must be a node from 3 to 5"));
  EXPECT_THAT(error_with("test.index", "5\n5\n"), HasSubstr("node 5 is there twice"));
  EXPECT_THAT(error_with("test.index", "5\n"), HasSubstr("test.index has 1 lines, tx has 2 rows"));
  EXPECT_THAT(error_with("ty", one_hot({1, 0})), HasSubstr("tx has 2 rows, ty has 1"));
  EXPECT_THAT(error_with("ty", one_hot({1, 1, 0, 1})), HasSubstr("row 0 does not name one class"));
  EXPECT_THAT(error_with("ty", one_hot({1, 0, 0, 0})), HasSubstr("row 1 does not name one class"));
  EXPECT_THAT(error_with("y", one_hot({1, 0})), HasSubstr("not those with which ally begins"));
  EXPECT_THAT(error_with("tx", Pickler().matrix(2, 4, {0, 1, 3}, {1, 0, 2}, {1, 1, 1}).done()),
              HasSubstr("tx has 4 columns, allx has 3"));
  EXPECT_THAT(error_with("tx", Pickler().matrix(2, 3, {0, 1, 3}, {1, 0, 3}, {1, 1, 1}).done()),
              HasSubstr("entry 2 is in column 3 of 3"));
  EXPECT_THAT(error_with("tx", Pickler().matrix(2, 3, {0, 4, 3}, {1, 0, 2}, {1, 1, 1}).done()),
              HasSubstr("row pointers do not ascend from 0 to 3"));
  EXPECT_THAT(error_with("tx", Pickler().matrix(3, 3, {0, 1, 3}, {1, 0, 2}, {1, 1, 1}).done()),
              HasSubstr("3 row pointers for 3 rows"));
  EXPECT_THAT(error_with("tx", Pickler().matrix(2, 3, {0, 1, 3}, {1, 0, 2}, {1, 1, INFINITY}).done()),
              HasSubstr("value 2 is not a finite float32 number"));
  EXPECT_THAT(error_with("graph", Pickler().lists({{1}, {0}, {6}, {}, {}, {}}).done()),
              HasSubstr("names node 6, there are 6"));
  EXPECT_THAT(error_with("graph", Pickler().lists({{1}, {0}}).done()), HasSubstr("the graph has 2 nodes"));
  EXPECT_THAT(error_with("graph", one_hot({1, 0})), HasSubstr("where there should be a dictionary of neighbours"));
  EXPECT_THAT(error_with("allx", one_hot({1, 0})), HasSubstr("where there should be a scipy.sparse.csr_matrix"));
  data.mutable_planetoid()->set_name("none");
  EXPECT_THAT(load_error(data), HasSubstr("ind.none.x"));
}

TEST_F(PlanetoidGraph, runs_nothing_of_a_pickle) {
  EXPECT_THAT(error_with("x", "cos\nsystem\n(S'echo'\ntR."),
              HasSubstr("ind.tiny.x: is no pickle that is read: byte 11: names os.system, which is not read"));
}

TEST_F(PlanetoidGraph, values_that_hold_themselves_or_are_deep_end_in_a_sentence) {
  EXPECT_THAT(error_with("graph",
                         "\x80\x02]q\x01h\x01"
                         "a."),
              HasSubstr("a dictionary of neighbours"));
  EXPECT_THAT(error_with("graph", std::string(100'000, ']') + std::string(99'999, 'a') + "."),
              HasSubstr("a dictionary of neighbours"));
  // One list of a hundred neighbours for each of a hundred nodes, in few bytes.
  Pickler lists;
  lists.put("}(").integer(0).put("](");
  for (int i = 0; i < 300; ++i) lists.put("K\x01");
  lists.put("eq\x01");
  for (int i = 1; i < 250; ++i) lists.integer(i).put("h\x01");
  EXPECT_THAT(error_with("graph", lists.put("u").done()), HasSubstr("more edges than bytes"));
}

TEST_F(PlanetoidGraph, survives_damage_and_cuts) {
  for (const char* ending : {"x", "ty", "graph", "test.index"}) {
    survive_damage(file(ending), [this] { load(data, Split::train); });
    const Bytes whole = read_file(file(ending));
    for (std::size_t bytes = 0; bytes + 1 < whole.size(); bytes += 7) {
      write_file(file(ending), Bytes(whole.begin(), whole.begin() + static_cast<long>(bytes)));
      EXPECT_THAT(load_error(data), HasSubstr("tiny")) << ending << " " << bytes;
    }
    write_file(file(ending), whole);
  }
}

TEST_F(PlanetoidGraph, is_described_by_its_directory_or_one_of_its_files) {
  EXPECT_THAT(describe_path(directory.path()).snippet, HasSubstr("name: \"tiny\""));
  EXPECT_THAT(describe_path(file("allx")).snippet, HasSubstr("directory: \"" + directory.path() + "\""));
}

TEST(Pickle, reads_the_three_protocols) {
  const TempDirectory directory;
  const std::string path = directory / "value";
  write_file(path, std::string("ccollections\ndefaultdict\np0\n(c__builtin__\nlist\np1\ntp2\nRp3\nI0\n(lp4\nI1\nasI1\n"
                               "(lp5\nI0\naL40L\nasI2\ng5\ns."));
  const Pickle lists(path);
  ASSERT_THAT(lists.top().items, SizeIs(6));
  EXPECT_EQ(lists[lists[lists.top().items[3]].items[1]].integer, 40);
  EXPECT_EQ(lists.top().items[3], lists.top().items[5]);

  write_file(path, std::string("(F-1.5\nI01\nNS'a\\'\\x41\\n\\\\'\nVb\nt."));
  const Pickle spelled(path);
  const auto item = [&spelled](std::size_t i) { return spelled[spelled.top().items[i]]; };
  EXPECT_EQ(item(0).real, -1.5);
  EXPECT_EQ(item(1).kind, Pickle::Kind::boolean);
  EXPECT_EQ(item(1).integer, 1);
  EXPECT_EQ(item(2).kind, Pickle::Kind::none);
  EXPECT_EQ(item(3).text, "a'A\n\\");
  EXPECT_EQ(item(4).text, "b");

  write_file(path,
             std::string("\x80\x02(G?\xf8\0\0\0\0\0\0\x8a\x06\0\0\0\0\0\x01\x8a\x01\xffM\x01\x02Ub\0\0.", 31) + "t.");
  EXPECT_THAT(input_error([&path] { Pickle{path}; }), HasSubstr("value"));
  write_file(path, std::string("\x80\x02(G?\xf8\0\0\0\0\0\0\x8a\x06\0\0\0\0\0\x01\x8a\x01\xffM\x01\x02t.", 28));
  const Pickle binary(path);
  EXPECT_EQ(binary[binary.top().items[0]].real, 1.5);
  EXPECT_EQ(binary[binary.top().items[1]].integer, std::int64_t{1} << 40);
  EXPECT_EQ(binary[binary.top().items[2]].integer, -1);
  EXPECT_EQ(binary[binary.top().items[3]].integer, 513);

  write_file(path, std::string("\x80\x03N."));
  EXPECT_THAT(input_error([&path] { Pickle{path}; }), HasSubstr("is of protocol 3: 0 to 2 are read"));
}

void expect_counts(const OpenGraph& open, std::size_t nodes, std::size_t edges, std::size_t features) {
  EXPECT_EQ(open.nodes(), nodes);
  EXPECT_EQ(open.edges(), edges);
  EXPECT_EQ(open.graph.features.width, features);
}

TEST(RealPlanetoid, has_the_counts_of_the_literature) {
  if (!real_data()) GTEST_SKIP() << "SOUK_DATA is not set";
  scenario::Data data;
  scenario::Planetoid& planetoid = *data.mutable_planetoid();
  planetoid.set_directory("${SOUK_DATA}/planetoid");

  const OpenGraph cora(data);
  expect_counts(cora, 2708, 5278, 1433);
  EXPECT_EQ(cora.graph.features.columns.size(), 49'216U);
  EXPECT_THAT(cora.graph.train_nodes, SizeIs(140));
  EXPECT_THAT(cora.graph.validation_nodes, SizeIs(500));
  EXPECT_THAT(cora.graph.test_nodes, SizeIs(1000));
  for (std::int32_t c = 0; c < 7; ++c) EXPECT_EQ(std::ranges::count(cora.labels(Split::train), c), 20);

  planetoid.set_name("citeseer");
  const OpenGraph citeseer(data);
  expect_counts(citeseer, 3327, 4552, 3703);
  EXPECT_EQ(citeseer.graph.features.columns.size(), 105'165U);
  EXPECT_THAT(citeseer.graph.train_nodes, SizeIs(120));
  EXPECT_THAT(citeseer.graph.test_nodes, SizeIs(1000));
  const std::vector<Row> rows = rows_of(citeseer.graph.features);
  EXPECT_EQ(std::count(rows.begin() + 2312, rows.end(), Row{}), 15);
}

}  // namespace
}  // namespace souk::planetoid_test
