#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/data/data_path.hpp"
#include "sim/data/graphs/graph_parts.hpp"
#include "sim/data/recognition.hpp"
#include "sim/data/table_columns.hpp"
#include "sim/data/text_lines.hpp"
#include "sim/data/text_table.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;

// DIRECTORY/NAME.csv.gz, or unpacked; empty where there is none.
std::string find_csv(const fs::path& directory, const std::string& name) {
  for (const char* ending : {".csv.gz", ".csv"}) {
    const fs::path path = directory / (name + ending);
    if (fs::exists(path)) return path.string();
  }
  return {};
}

std::string need_csv(const fs::path& directory, const std::string& name) {
  std::string path = find_csv(directory, name);
  SOUK_REQUIRE(!path.empty(), "{}: there is no {}.csv.gz", directory.string(), name);
  return path;
}

// A line for each node: its class, or nan.
std::vector<std::int64_t> read_labels(const std::string& path) {
  std::vector<std::int64_t> labels;
  TextLines(path).for_each([&](std::string_view text, std::size_t line) {
    SOUK_REQUIRE(text.find(',') == std::string_view::npos, "{}: line {}: a node has several labels: one is read", path,
                 line);
    const auto number = parse_number(text);
    const bool known = !is_missing(text);
    SOUK_REQUIRE(!known || (number && *number >= 0 && *number == std::floor(*number) && *number < 1e9),
                 "{}: line {}: {} is no class: must be a whole number from 0, or nan", path, line, quote_cell(text));
    labels.push_back(known ? static_cast<std::int64_t>(*number) : -1);
  });
  return labels;
}

// How many nodes each graph has: node-property sets are one graph.
void check_node_count(const std::string& path, std::size_t nodes) {
  std::size_t graphs = 0;
  TextLines(path).for_each([&](std::string_view text, std::size_t line) {
    SOUK_REQUIRE(++graphs == 1, "{}: line {}: there are several graphs: one is read", path, line);
    const auto number = parse_index(text, std::numeric_limits<NodeIndex>::max());
    SOUK_REQUIRE(number == nodes, "{}: says {} nodes, node-label has {} lines", path, quote_cell(text), nodes);
  });
  SOUK_REQUIRE(graphs == 1, "{}: says no number of nodes", path);
}

void read_edges(const std::string& path, GraphFile& file) {
  std::vector<std::string_view> cells;
  TextLines(path).for_each([&](std::string_view text, std::size_t line) {
    split_cells(text, ',', cells);
    SOUK_REQUIRE(cells.size() == 2, "{}: line {}: must be two nodes", path, line);
    std::array<NodeIndex, 2> ends{};
    for (std::size_t end = 0; end < 2; ++end) {
      const auto node = parse_index(cells[end], file.nodes);
      SOUK_REQUIRE(node.has_value(), "{}: line {}: {} is none of the {} nodes", path, line, quote_cell(cells[end]),
                   file.nodes);
      ends[end] = static_cast<NodeIndex>(*node);
    }
    file.edges.emplace_back(ends[0], ends[1]);
  });
}

void read_features(const std::string& path, GraphFile& file) {
  std::vector<std::string_view> cells;
  std::vector<FeatureEntry> entries;
  TextLines(path).for_each([&](std::string_view text, std::size_t line) {
    split_cells(text, ',', cells);
    if (file.features.width == 0) file.features.width = cells.size();
    SOUK_REQUIRE(cells.size() == file.features.width && cells.size() <= graph_features_max,
                 "{}: line {}: {} features, the first line has {}", path, line, cells.size(), file.features.width);
    SOUK_REQUIRE(file.features.offsets.size() <= file.nodes, "{}: line {}: there are {} nodes", path, line, file.nodes);
    entries.clear();
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const float value = parse_feature(cells[i], path, line);
      if (value != 0.0F) entries.push_back({static_cast<std::uint32_t>(i), value});
    }
    add_node(file.features, entries);
  });
  SOUK_REQUIRE(file.features.offsets.size() == file.nodes + 1, "{}: {} lines for {} nodes", path,
               file.features.offsets.size() - 1, file.nodes);
  drop_ones(file.features);
}

std::vector<std::string> splits_in(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(directory / "split", error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name[0] != '.' && !find_csv(entry->path(), "train").empty()) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

void read_part(const std::string& path, NodePart part, std::vector<NodePart>& split) {
  TextLines(path).for_each([&](std::string_view text, std::size_t line) {
    const auto node = parse_index(text, split.size());
    SOUK_REQUIRE(node.has_value(), "{}: line {}: {} is none of the {} nodes", path, line, quote_cell(text),
                 split.size());
    SOUK_REQUIRE(split[*node] == NodePart::none, "{}: line {}: node {} is in the split twice", path, line, *node);
    split[*node] = part;
  });
}

void read_split(const fs::path& directory, const std::string& wanted, GraphFile& file) {
  const std::vector<std::string> names = splits_in(directory);
  if (names.empty() && wanted.empty()) return;
  SOUK_REQUIRE(!wanted.empty() || names.size() == 1,
               "{}: there are several splits: choose task.data.ogb_nodes.split_name: {}", file.path,
               fmt::format("{}", fmt::join(names, ", ")));
  SOUK_REQUIRE(wanted.empty() || std::ranges::binary_search(names, wanted), "{}: has no split {}; it has: {}",
               file.path, quote_cell(wanted), fmt::format("{}", fmt::join(names, ", ")));
  const fs::path of_split = directory / "split" / (wanted.empty() ? names[0] : wanted);
  std::vector<NodePart> split(file.nodes, NodePart::none);
  read_part(need_csv(of_split, "train"), NodePart::train, split);
  read_part(need_csv(of_split, "valid"), NodePart::validation, split);
  read_part(need_csv(of_split, "test"), NodePart::test, split);
  file.splits.push_back(std::move(split));
}

GraphFile read_ogb_nodes(const scenario::OgbNodes& config, const ReaderContext&) {
  GraphFile file;
  file.path = data_path("task.data.ogb_nodes.directory", config.directory());
  const fs::path directory = file.path, raw = directory / "raw";
  const std::vector<std::int64_t> labels = read_labels(need_csv(raw, "node-label"));
  file.nodes = labels.size();
  check_node_count(need_csv(raw, "num-node-list"), file.nodes);
  take_labels(file, labels);
  read_edges(need_csv(raw, "edge"), file);
  if (const std::string features = find_csv(raw, "node-feat"); !features.empty()) {
    read_features(features, file);
  } else {
    file.features.offsets.assign(file.nodes + 1, 0);
  }
  read_split(directory, config.split_name(), file);
  return file;
}

std::optional<Recognised> recognise_ogb_nodes(const std::string& path, const RecognitionHints&) {
  const fs::path raw = fs::path(path) / "raw";
  if (find_csv(raw, "edge").empty() || find_csv(raw, "num-node-list").empty()) return std::nullopt;
  Recognised found = recognised_as("OGB's node-property directory");
  scenario::OgbNodes& ogb = *found.data->mutable_ogb_nodes();
  ogb.set_directory(path);
  const std::vector<std::string> splits = splits_in(path);
  if (splits.empty()) ogb.mutable_graph()->mutable_random();
  if (find_csv(raw, "node-feat").empty()) ogb.mutable_graph()->set_features(scenario::GraphNodes::DEGREE);
  if (splits.size() > 1) {
    ogb.set_split_name(splits[0]);
    found.remarks.push_back(fmt::format("splits here: {}", fmt::join(splits, ", ")));
  }
  return found;
}

const RegisterRecogniser ogb_nodes_recogniser(14, recognise_ogb_nodes);

const RegisterGraph<scenario::OgbNodes, read_ogb_nodes> register_ogb_nodes;

}  // namespace
}  // namespace souk
