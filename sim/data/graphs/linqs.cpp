#include <algorithm>
#include <filesystem>
#include <limits>
#include <optional>
#include <unordered_map>
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

constexpr std::string_view content_ending = ".content", cites_ending = ".cites";

// Tabs where a line has some: ids and classes may hold spaces then.
void split_line(std::string_view line, std::vector<std::string_view>& cells) {
  split_cells(line, line.find('\t') != std::string_view::npos ? '\t' : ' ', cells);
  for (std::string_view& cell : cells) {
    while (cell.ends_with(' ')) cell.remove_suffix(1);
    while (cell.starts_with(' ')) cell.remove_prefix(1);
  }
  while (!cells.empty() && cells.back().empty()) cells.pop_back();  // spaces at the end of a line
}

using NodeOfId = std::unordered_map<std::string_view, NodeIndex>;

// Lines of a node's id, its features and its class. Ids are views of the lines.
NodeOfId read_content(const TextLines& lines, GraphFile& file) {
  NodeOfId node_of;
  std::vector<std::string_view> cells, labels;
  std::vector<FeatureEntry> entries;
  lines.for_each([&](std::string_view text, std::size_t line) {
    split_line(text, cells);
    SOUK_REQUIRE(cells.size() >= 3, "{}: line {}: must be a node's id, its features and its class", file.path, line);
    if (labels.empty()) file.features.width = cells.size() - 2;
    SOUK_REQUIRE(cells.size() - 2 == file.features.width && file.features.width <= graph_features_max,
                 "{}: line {}: {} features, the first line has {}", file.path, line, cells.size() - 2,
                 file.features.width);
    SOUK_REQUIRE(node_of.emplace(cells[0], static_cast<NodeIndex>(labels.size())).second,
                 "{}: line {}: node {} is there twice", file.path, line, quote_cell(cells[0]));
    entries.clear();
    for (std::size_t i = 0; i < file.features.width; ++i) {
      const float value = parse_feature(cells[i + 1], file.path, line);
      if (value != 0.0F) entries.push_back({static_cast<std::uint32_t>(i), value});
    }
    add_node(file.features, entries);
    labels.push_back(is_blank(cells.back()) ? std::string_view() : cells.back());
  });
  SOUK_REQUIRE(!labels.empty() && labels.size() < std::numeric_limits<NodeIndex>::max(), "{}: {} nodes", file.path,
               labels.size());
  file.nodes = labels.size();
  drop_ones(file.features);
  take_labels(file, labels);
  return node_of;
}

void read_cites(const std::string& path, const NodeOfId& node_of, GraphFile& file) {
  const TextLines lines(path);
  std::vector<std::string_view> cells;
  std::size_t unknown = 0;
  lines.for_each([&](std::string_view text, std::size_t line) {
    split_line(text, cells);
    SOUK_REQUIRE(cells.size() == 2, "{}: line {}: must be the ids of two nodes", path, line);
    const auto a = node_of.find(cells[0]), b = node_of.find(cells[1]);
    if (a == node_of.end() || b == node_of.end()) {
      ++unknown;
    } else {
      file.edges.emplace_back(a->second, b->second);
    }
  });
  if (unknown > 0) {
    file.warnings.push_back(
        fmt::format("{}: {} edges name a node that {} does not have, and are left out", path, unknown, file.path));
  }
}

// NAME.cites beside NAME.content, or the other way round; packed or not. Empty: there is none.
std::string beside(const std::string& path, std::string_view ending, std::string_view other) {
  const std::string bare = path.ends_with(".gz") ? path.substr(0, path.size() - 3) : path;
  if (!bare.ends_with(ending)) return {};
  const std::string file = bare.substr(0, bare.size() - ending.size()) + std::string(other);
  return fs::exists(file) ? file : fs::exists(file + ".gz") ? file + ".gz" : std::string();
}

GraphFile read_linqs(const scenario::Linqs& config, const ReaderContext&) {
  GraphFile file;
  file.path = data_path("task.data.linqs.content", config.content());
  std::string cites = beside(file.path, content_ending, cites_ending);
  if (!config.cites().empty()) cites = data_path("task.data.linqs.cites", config.cites());
  SOUK_REQUIRE(!cites.empty(), "{}: there is no .cites file beside it: name task.data.linqs.cites", file.path);
  const TextLines content(file.path);
  const NodeOfId node_of = read_content(content, file);
  read_cites(cites, node_of, file);
  return file;
}

std::vector<std::string> contents_in(const std::string& directory) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    const std::string file = entry->path().string();
    if (entry->path().filename().string()[0] == '.') continue;
    if (!beside(file, content_ending, cites_ending).empty()) files.push_back(file);
  }
  std::ranges::sort(files);
  return files;
}

// One of the two files, or the directory: of several graphs the first by name.
std::optional<Recognised> recognise_linqs(const std::string& path, const RecognitionHints&) {
  std::vector<std::string> files;
  if (fs::is_directory(path)) {
    files = contents_in(path);
  } else if (!beside(path, content_ending, cites_ending).empty()) {
    files = {path};
  } else if (const std::string content = beside(path, cites_ending, content_ending); !content.empty()) {
    files = {content};
  }
  if (files.empty()) return std::nullopt;
  Recognised found = recognised_as("LINQS's graph");
  scenario::Linqs& linqs = *found.data->mutable_linqs();
  linqs.set_content(files[0]);
  linqs.mutable_graph()->mutable_random();
  if (files.size() > 1) found.remarks.push_back(fmt::format("graphs here: {}", fmt::join(files, ", ")));
  return found;
}

const RegisterRecogniser linqs_recogniser(13, recognise_linqs);

const RegisterGraph<scenario::Linqs, read_linqs> register_linqs;

}  // namespace
}  // namespace souk
