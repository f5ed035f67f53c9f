#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/data/class_limit.hpp"
#include "sim/data/data_path.hpp"
#include "sim/data/graphs/graph_parts.hpp"
#include "sim/data/graphs/pickled_arrays.hpp"
#include "sim/data/recognition.hpp"
#include "sim/data/text_lines.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;

// Planetoid's own: the nodes after those of x.
constexpr std::size_t validation_nodes = 500;

struct Labels {
  std::vector<std::int32_t> of_row;
  std::size_t classes = 0;
};

// One-hot rows.
Labels read_one_hot_labels(const std::string& path) {
  const Pickle pickle(path);
  const PickledArray array = pickled_array(pickle, pickle.top());
  SOUK_REQUIRE(array.shape.size() == 2 && array.kind != 'f', "{}: must be integers, a row for each node", path);
  Labels labels;
  labels.classes = array.shape[1];
  SOUK_REQUIRE(labels.classes >= 2 && labels.classes <= classes_max, "{}: {} classes, must be 2 to {}", path,
               labels.classes, classes_max);
  for (std::size_t row = 0; row < array.shape[0]; ++row) {
    std::int32_t label = -1;
    for (std::size_t c = 0; c < labels.classes; ++c) {
      const std::int64_t value = array.integer(row * labels.classes + c);
      if (value == 0) continue;
      SOUK_REQUIRE(value == 1 && label < 0, "{}: row {} does not name one class by a single 1", path, row);
      label = static_cast<std::int32_t>(c);
    }
    SOUK_REQUIRE(label >= 0, "{}: row {} does not name one class by a single 1", path, row);
    labels.of_row.push_back(label);
  }
  return labels;
}

// A dictionary with an entry for every node: its neighbours.
void read_neighbours(const std::string& path, GraphFile& file) {
  const Pickle pickle(path);
  const Pickle::Value& lists = pickle.expect(pickle.top(), Pickle::Kind::dictionary, "a dictionary of neighbours");
  file.nodes = lists.items.size() / 2;
  SOUK_REQUIRE(file.nodes > 0 && file.nodes < std::numeric_limits<NodeIndex>::max(), "{}: {} nodes", path, file.nodes);
  const auto node = [&](Pickle::Ref ref) {
    const std::int64_t number = pickle.expect(pickle[ref], Pickle::Kind::integer, "a node's number").integer;
    SOUK_REQUIRE(number >= 0 && std::cmp_less(number, file.nodes), "{}: names node {}, there are {}", path, number,
                 file.nodes);
    return static_cast<NodeIndex>(number);
  };
  std::vector<bool> seen(file.nodes);
  for (std::size_t i = 0; i < lists.items.size(); i += 2) {
    const NodeIndex v = node(lists.items[i]);
    SOUK_REQUIRE(!seen[v], "{}: node {} is there twice", path, v);
    seen[v] = true;
    const Pickle::Value& list = pickle.expect(pickle[lists.items[i + 1]], Pickle::Kind::list, "a list of neighbours");
    // Lists may be one and the same, by which a small file could stand for any number of edges.
    SOUK_REQUIRE(file.edges.size() + list.items.size() <= pickle.bytes(), "{}: has more edges than bytes", path);
    for (const Pickle::Ref neighbour : list.items) file.edges.emplace_back(v, node(neighbour));
  }
}

// An edge is in the lists of both its ends, and some are in one list twice: as a list of edges all that is a
// repetition, which says nothing of the files' quality.
void keep_each_edge_once(std::vector<Edge>& edges) {
  for (Edge& edge : edges) {
    if (edge.second < edge.first) std::swap(edge.first, edge.second);
  }
  std::ranges::sort(edges);
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
}

// The nodes of the rows of tx and ty, in their order.
std::vector<NodeIndex> read_test_index(const std::string& path, std::size_t first, std::size_t nodes) {
  std::vector<NodeIndex> index;
  std::vector<bool> seen(nodes);
  TextLines(path).for_each([&](std::string_view text, std::size_t line) {
    const auto node = parse_index(text, nodes);
    SOUK_REQUIRE(node && *node >= first, "{}: line {}: must be a node from {} to {}", path, line, first, nodes - 1);
    SOUK_REQUIRE(!seen[*node], "{}: line {}: node {} is there twice", path, line, *node);
    seen[*node] = true;
    index.push_back(static_cast<NodeIndex>(*node));
  });
  return index;
}

struct Parts {
  CsrParts x, allx, tx;
  Labels y, ally, ty;
};

void check_parts(const Parts& parts, const GraphFile& file) {
  const auto match = [&](const char* features, const CsrParts& matrix, const char* name, const Labels& labels) {
    SOUK_REQUIRE(matrix.rows == labels.of_row.size(), "{}: {} has {} rows, {} has {}", file.path, features, matrix.rows,
                 name, labels.of_row.size());
    SOUK_REQUIRE(matrix.width == parts.allx.width, "{}: {} has {} columns, allx has {}", file.path, features,
                 matrix.width, parts.allx.width);
    SOUK_REQUIRE(labels.classes == parts.ally.classes, "{}: {} has {} classes, ally has {}", file.path, name,
                 labels.classes, parts.ally.classes);
  };
  match("x", parts.x, "y", parts.y);
  match("allx", parts.allx, "ally", parts.ally);
  match("tx", parts.tx, "ty", parts.ty);
  SOUK_REQUIRE(parts.allx.rows <= file.nodes, "{}: allx has {} rows, the graph has {} nodes", file.path,
               parts.allx.rows, file.nodes);
  const bool is_head = parts.x.rows <= parts.allx.rows &&
                       std::equal(parts.y.of_row.begin(), parts.y.of_row.end(), parts.ally.of_row.begin());
  SOUK_REQUIRE(is_head, "{}: the labels of y are not those with which ally begins", file.path);
}

// Rows of allx are nodes 0, 1, …; those of tx the nodes that test.index names; other nodes have neither features nor
// class.
void place_rows(const Parts& parts, const std::vector<NodeIndex>& test_index, GraphFile& file) {
  constexpr std::size_t no_row = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> test_row(file.nodes, no_row);
  for (std::size_t row = 0; row < test_index.size(); ++row) test_row[test_index[row]] = row;
  std::vector<NodePart> split(file.nodes, NodePart::none);
  std::vector<FeatureEntry> entries;
  file.labels.assign(file.nodes, -1);
  file.features.width = parts.allx.width;
  for (std::size_t v = 0; v < file.nodes; ++v) {
    entries.clear();
    if (v < parts.allx.rows) {
      copy_row(parts.allx, v, entries);
      file.labels[v] = parts.ally.of_row[v];
      split[v] = v < parts.x.rows                      ? NodePart::train
                 : v < parts.x.rows + validation_nodes ? NodePart::validation
                                                       : NodePart::none;
    } else if (test_row[v] != no_row) {
      copy_row(parts.tx, test_row[v], entries);
      file.labels[v] = parts.ty.of_row[test_row[v]];
      split[v] = NodePart::test;
    }
    add_node(file.features, entries);
  }
  drop_ones(file.features);
  file.splits.push_back(std::move(split));
}

GraphFile read_planetoid(const scenario::Planetoid& config, const ReaderContext&) {
  const std::string directory = data_path("task.data.planetoid.directory", config.directory());
  const auto path_of = [&](const char* ending) {
    return (fs::path(directory) / fmt::format("ind.{}.{}", config.name(), ending)).string();
  };
  GraphFile file;
  file.path = path_of("*");
  const Parts parts{read_pickled_csr(path_of("x")),       read_pickled_csr(path_of("allx")),
                    read_pickled_csr(path_of("tx")),      read_one_hot_labels(path_of("y")),
                    read_one_hot_labels(path_of("ally")), read_one_hot_labels(path_of("ty"))};
  read_neighbours(path_of("graph"), file);
  keep_each_edge_once(file.edges);
  check_parts(parts, file);
  const std::vector<NodeIndex> test_index = read_test_index(path_of("test.index"), parts.allx.rows, file.nodes);
  SOUK_REQUIRE(test_index.size() == parts.tx.rows, "{}: test.index has {} lines, tx has {} rows", file.path,
               test_index.size(), parts.tx.rows);
  for (std::size_t c = 0; c < parts.ally.classes; ++c) file.class_names.push_back(std::to_string(c));
  place_rows(parts, test_index, file);
  return file;
}

// The directory, or one of its files. Of several graphs the first by name.
std::optional<Recognised> recognise_planetoid(const std::string& path, const RecognitionHints&) {
  const std::string directory = fs::is_directory(path) ? path : fs::path(path).parent_path().string();
  constexpr std::string_view begin = "ind.", end = ".test.index";
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(directory.empty() ? "." : directory, error), last; !error && entry != last;
       entry.increment(error)) {
    const std::string file = entry->path().filename().string();
    if (!file.starts_with(begin) || !file.ends_with(end) || file.size() <= begin.size() + end.size()) continue;
    names.push_back(file.substr(begin.size(), file.size() - begin.size() - end.size()));
  }
  std::ranges::sort(names);
  const std::string file = fs::path(path).filename().string();
  if (directory != path) {  // one of the files: of that graph
    std::erase_if(names, [&](const std::string& name) {
      return std::ranges::none_of(std::array{"x", "y", "tx", "ty", "allx", "ally", "graph", "test.index"},
                                  [&](const char* part) { return file == fmt::format("ind.{}.{}", name, part); });
    });
  }
  if (names.empty()) return std::nullopt;
  Recognised found = recognised_as("Planetoid's graph");
  found.data->mutable_planetoid()->set_directory(directory.empty() ? "." : directory);
  found.data->mutable_planetoid()->set_name(names[0]);
  if (names.size() > 1) found.remarks.push_back(fmt::format("graphs here: {}", fmt::join(names, ", ")));
  return found;
}

const RegisterRecogniser planetoid_recogniser(11, recognise_planetoid);

const RegisterGraph<scenario::Planetoid, read_planetoid> register_planetoid;

}  // namespace
}  // namespace souk
