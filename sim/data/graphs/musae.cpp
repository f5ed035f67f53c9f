#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/data/data_path.hpp"
#include "sim/data/graphs/features_json.hpp"
#include "sim/data/graphs/graph_parts.hpp"
#include "sim/data/recognition.hpp"
#include "sim/data/table_columns.hpp"
#include "sim/data/text_table.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;

// A number with more values is a measurement, such as Wikipedia's monthly traffic.
constexpr std::size_t number_classes_max = 100;

std::string file_of(const std::string& directory, const std::string& name, const char* ending) {
  const std::string path = (fs::path(directory) / (name + ending)).string();
  return fs::exists(path) ? path : fs::exists(path + ".gz") ? path + ".gz" : path;
}

std::size_t column_of(const TextTable& table, const std::string& name) {
  const auto found = std::ranges::find(table.names(), name);
  SOUK_REQUIRE(found != table.names().end(), "{}: has no column {}: choose task.data.musae.label; it has: {}",
               table.path(), quote_cell(name), fmt::format("{}", fmt::join(table.names(), ", ")));
  return static_cast<std::size_t>(found - table.names().begin());
}

/// What target.csv says: the label of each node.
struct Target {
  std::string path;
  std::vector<std::string> labels;  ///< empty: none is known
  std::string warning;
};

// Rows are in any order. Where Twitch's own ids are in `id`, `new_id` has the numbers that edges and features use. A
// node may have several rows that agree: France has two that do.
Target read_target(const std::string& path, const std::string& label) {
  const TextTable table(path, ',', true);
  const bool renumbered = std::ranges::find(table.names(), "new_id") != table.names().end();
  const std::size_t of_node = column_of(table, renumbered ? "new_id" : "id"), of_label = column_of(table, label);
  Target target{path, std::vector<std::string>(table.rows()), {}};
  std::vector<bool> seen(table.rows());
  std::size_t nodes = 0, repeated = 0;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const auto node = parse_index(table.cell(row, of_node), table.rows());
    SOUK_REQUIRE(node.has_value(), "{}: line {}: {} is no node: {} rows number them from 0", path, table.line(row),
                 quote_cell(table.cell(row, of_node)), table.rows());
    const std::string_view cell = table.cell(row, of_label);
    const std::string_view known = is_blank(cell) ? std::string_view() : cell;
    SOUK_REQUIRE(!seen[*node] || target.labels[*node] == known, "{}: line {}: node {} has another {} than before", path,
                 table.line(row), *node, quote_cell(label));
    repeated += seen[*node] ? 1 : 0;
    seen[*node] = true;
    target.labels[*node] = known;
    nodes = std::max<std::size_t>(nodes, *node + 1);
  }
  const auto missing = std::find(seen.begin(), seen.begin() + static_cast<std::ptrdiff_t>(nodes), false) - seen.begin();
  SOUK_REQUIRE(std::cmp_equal(missing, nodes), "{}: node {} of {} has no row", path, missing, nodes);
  target.labels.resize(nodes);
  if (repeated > 0) target.warning = fmt::format("{}: {} rows say of a node what another has said", path, repeated);
  return target;
}

void add_edges(const std::string& path, std::size_t nodes, std::size_t first_node, GraphFile& file) {
  const TextTable table(path, ',', true);
  SOUK_REQUIRE(table.columns() == 2, "{}: {} columns, must be two", path, table.columns());
  for (std::size_t row = 0; row < table.rows(); ++row) {
    std::array<NodeIndex, 2> ends{};
    for (std::size_t end = 0; end < 2; ++end) {
      const auto node = parse_index(table.cell(row, end), nodes);
      SOUK_REQUIRE(node.has_value(), "{}: line {}: {} is none of the {} nodes", path, table.line(row),
                   quote_cell(table.cell(row, end)), nodes);
      ends[end] = static_cast<NodeIndex>(first_node + *node);
    }
    file.edges.emplace_back(ends[0], ends[1]);
  }
}

void add_features(const std::string& path, std::size_t nodes, GraphFile& file) {
  const JsonFeatures found = read_features_json(path, nodes);
  constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> place_of(nodes, nowhere);
  for (std::size_t i = 0; i < found.nodes.size(); ++i) place_of[found.nodes[i]] = i;
  std::vector<FeatureEntry> entries;
  std::size_t repeated = 0;
  for (const std::size_t place : place_of) {
    entries.clear();
    const bool known = place != nowhere;
    for (std::uint64_t i = known ? found.offsets[place] : 0; known && i < found.offsets[place + 1]; ++i) {
      entries.push_back({.column = found.columns[i]});
      file.features.width = std::max<std::size_t>(file.features.width, found.columns[i] + 1);
    }
    repeated += add_node(file.features, entries);
  }
  if (found.nodes.size() < nodes) {
    file.warnings.push_back(
        fmt::format("{}: {} of {} nodes are not there and have no features", path, nodes - found.nodes.size(), nodes));
  }
  if (repeated > 0) {
    file.warnings.push_back(fmt::format("{}: {} of {} features are named again for their node, and count once", path,
                                        repeated, found.columns.size()));
  }
}

// All nodes of the first graph are trained on, all of the second tested; each graph is a group.
void split_by_graph(std::size_t first_nodes, GraphFile& file) {
  file.graph_ends = {first_nodes, file.nodes};
  std::vector<NodePart> split(file.nodes, NodePart::none);
  for (std::size_t v = 0; v < file.nodes; ++v) {
    file.groups.push_back(v < first_nodes ? 0 : 1);
    if (file.labels[v] >= 0) split[v] = v < first_nodes ? NodePart::train : NodePart::test;
  }
  file.splits.push_back(std::move(split));
}

// Appends one graph; its labels to `labels`, empty where none is known.
void add_graph(const std::string& directory, const std::string& name, const std::string& label, GraphFile& file,
               std::vector<std::string>& labels) {
  Target target = read_target(file_of(directory, name, "_target.csv"), label);
  if (!target.warning.empty()) file.warnings.push_back(target.warning);
  const std::size_t first_node = labels.size(), nodes = target.labels.size();
  SOUK_REQUIRE(first_node + nodes < std::numeric_limits<NodeIndex>::max(), "{}: {} nodes", target.path, nodes);
  add_edges(file_of(directory, name, "_edges.csv"), nodes, first_node, file);
  add_features(file_of(directory, name, "_features.json"), nodes, file);
  std::ranges::move(target.labels, std::back_inserter(labels));
}

GraphFile read_musae(const scenario::Musae& config, const ReaderContext&) {
  const std::string directory = data_path("task.data.musae.directory", config.directory());
  SOUK_REQUIRE(!config.name().empty(), "task.data.musae.name: is empty, must be what stands before _edges.csv");
  GraphFile file;
  file.path = file_of(directory, config.name(), "_target.csv");
  std::vector<std::string> labels;
  add_graph(directory, config.name(), config.label(), file, labels);
  const std::size_t first_nodes = labels.size();
  if (!config.test_name().empty()) add_graph(directory, config.test_name(), config.label(), file, labels);
  drop_ones(file.features);
  file.nodes = labels.size();
  const std::vector<std::string_view> views(labels.begin(), labels.end());
  const bool numbers = take_labels(file, views);
  SOUK_REQUIRE(!numbers || file.class_names.size() <= number_classes_max,
               "{}: column {} holds {} different numbers: it measures something, and is no class to be learned",
               file.path, quote_cell(config.label()), file.class_names.size());
  if (!config.test_name().empty()) split_by_graph(first_nodes, file);
  return file;
}

// Names of the graphs of a directory, ascending.
std::vector<std::string> graphs_in(const std::string& directory) {
  constexpr std::string_view ending = "_target.csv";
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    std::string file = entry->path().filename().string();
    if (file.ends_with(".gz")) file.resize(file.size() - 3);
    if (file[0] == '.' || !file.ends_with(ending)) continue;
    const std::string name = file.substr(0, file.size() - ending.size());
    const bool whole =
        fs::exists(file_of(directory, name, "_edges.csv")) && fs::exists(file_of(directory, name, "_features.json"));
    if (whole && !name.empty()) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

// The directory, or one of a graph's files. Of several graphs the first by name; of a table without Twitch's column the
// last is the class.
std::optional<Recognised> recognise_musae(const std::string& path, const RecognitionHints& hints) {
  const bool is_directory = fs::is_directory(path);
  const fs::path parent = fs::path(path).parent_path();
  const std::string directory = is_directory ? path : parent.empty() ? "." : parent.string();
  std::vector<std::string> names = graphs_in(directory);
  const std::string file = fs::path(path).filename().string();
  if (!is_directory) {
    std::erase_if(names, [&](const std::string& name) {
      return std::ranges::none_of(std::array{"_edges.csv", "_features.json", "_target.csv"}, [&](const char* ending) {
        return file == name + ending || file == name + ending + ".gz";
      });
    });
  }
  if (names.empty()) return std::nullopt;
  Recognised found = recognised_as("MUSAE's graph");
  scenario::Musae& musae = *found.data->mutable_musae();
  musae.set_directory(directory), musae.set_name(names[0]);
  musae.mutable_graph()->mutable_random();
  const TextTable target(file_of(directory, names[0], "_target.csv"), ',', true);
  const bool twitch = std::ranges::find(target.names(), musae.label()) != target.names().end();
  if (!twitch) musae.set_label(target.names().back());
  if (!hints.label.empty()) musae.set_label(hints.label);
  found.remarks.push_back(fmt::format("column {} is taken as the class; others: {}", quote_cell(musae.label()),
                                      fmt::join(target.names(), ", ")));
  if (names.size() > 1) {
    found.remarks.push_back(fmt::format("graphs here: {}; test_name: \"{}\" trains on one and tests on another",
                                        fmt::join(names, ", "), names[1]));
  }
  return found;
}

const RegisterRecogniser musae_recogniser(12, recognise_musae);

const RegisterGraph<scenario::Musae, read_musae> register_musae;

}  // namespace
}  // namespace souk
