#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/memory.hpp"
#include "sim/data/data_path.hpp"
#include "sim/data/graphs/graph_parts.hpp"
#include "sim/data/recognition.hpp"
#include "sim/data/table_columns.hpp"
#include "sim/data/text_lines.hpp"
#include "sim/data/text_table.hpp"
#include "sim/data/words.hpp"

namespace souk {
namespace {

constexpr std::string_view blanks = " \t";

/// A line of the file.
struct TimedEdge {
  std::uint64_t from = 0, to = 0;  ///< ids
  double time = 0.0;
  double rating = 0.0;  ///< of `to` by `from`; 0 where lines have none
};

// Fields between blanks, of which any number may stand together.
void split_at_blanks(std::string_view line, std::vector<std::string_view>& fields) {
  fields.clear();
  for (;;) {
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    if (line.empty()) return;
    const std::size_t end = std::min(line.find_first_of(blanks), line.size());
    fields.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

/// What the lines of one file say. The first one decides which of the two layouts it is.
class EdgeLines {
 public:
  explicit EdgeLines(const std::string& path) : path_(path) {}

  /// Nothing where the line is a comment. Throws InputError where it is no edge.
  std::optional<TimedEdge> parse(std::string_view text, std::size_t line) {
    text = trimmed(text);
    if (text.starts_with('#')) return std::nullopt;
    if (!rated_) rated_ = text.find(',') != std::string_view::npos;
    *rated_ ? split_cells(text, ',', fields_) : split_at_blanks(text, fields_);
    SOUK_REQUIRE(fields_.size() == (*rated_ ? 4U : 3U), "{}: line {}: {} fields, must be {}", path_, line,
                 fields_.size(), *rated_ ? "FROM,TO,RATING,TIME" : "FROM TO TIME");
    return TimedEdge{.from = id(0, line),
                     .to = id(1, line),
                     .time = number(fields_.size() - 1, "time", line),
                     .rating = *rated_ ? number(2, "rating", line) : 0.0};
  }
  bool rated() const { return rated_.value_or(false); }

 private:
  std::uint64_t id(std::size_t field, std::size_t line) const {
    const auto id = parse_index(fields_[field], std::numeric_limits<std::uint64_t>::max());
    SOUK_REQUIRE(id.has_value(), "{}: line {}: {} is no node's id: must be a whole number from 0, below 2^64 - 1",
                 path_, line, quote_cell(fields_[field]));
    return *id;
  }
  double number(std::size_t field, const char* name, std::size_t line) const {
    const auto number = parse_number(trimmed(fields_[field]));
    SOUK_REQUIRE(number.has_value(), "{}: line {}: the {} {} is not a finite number", path_, line, name,
                 quote_cell(fields_[field]));
    return *number;
  }

  std::string path_;
  std::optional<bool> rated_;
  std::vector<std::string_view> fields_;
};

/// The edges of a file, without loops.
struct EdgeList {
  std::vector<TimedEdge> edges;  ///< as the lines come
  bool rated = false;
  std::size_t loops = 0;  ///< left out
};

// Packed files may hold many times their size.
void make_room(const std::string& path, std::vector<TimedEdge>& edges) {
  if (edges.size() < edges.capacity()) return;
  const std::size_t wanted = std::max<std::size_t>(2 * edges.size(), 1024);
  const double needed = static_cast<double>(wanted) * static_cast<double>(sizeof(TimedEdge));
  constexpr double large = 1 << 26;  // where to ask for room is worth its time
  SOUK_REQUIRE(needed <= large || needed <= available_memory(),
               "{}: its {} or more edges need {}, this node has {} to give", path, edges.size() + 1, bytes_text(needed),
               bytes_text(available_memory()));
  edges.reserve(wanted);
}

EdgeList read_edges(const std::string& path) {
  EdgeList list;
  EdgeLines parser(path);
  TextLines(path).for_each([&](std::string_view text, std::size_t line) {
    const auto edge = parser.parse(text, line);
    if (!edge) return;
    if (edge->from == edge->to) {
      ++list.loops;
      return;
    }
    make_room(path, list.edges);
    list.edges.push_back(*edge);
  });
  SOUK_REQUIRE(!list.edges.empty(), "{}: has no edge between two nodes", path);
  list.rated = parser.rated();
  return list;
}

// Leaves the edges up to a share of the time from the first to the last.
void keep_until(double share, std::vector<TimedEdge>& edges) {
  const auto [first, last] = std::ranges::minmax_element(edges, {}, &TimedEdge::time);
  const double end = std::lerp(first->time, last->time, share);  // between the two, however far apart they are
  std::erase_if(edges, [end](const TimedEdge& edge) { return edge.time > end; });
}

// [nodes] ascending
std::vector<std::uint64_t> ids_of(const std::vector<TimedEdge>& edges) {
  std::vector<std::uint64_t> ids;
  ids.reserve(2 * edges.size());
  for (const TimedEdge& edge : edges) {
    ids.push_back(edge.from);
    ids.push_back(edge.to);
  }
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

// Nodes in ascending order of their ids, edges between them in the order of `edges`, and when each node has its first.
void take_edges(const std::vector<TimedEdge>& edges, GraphFile& file) {
  const std::vector<std::uint64_t> ids = ids_of(edges);
  SOUK_REQUIRE(ids.size() < std::numeric_limits<NodeIndex>::max(), "{}: {} nodes", file.path, ids.size());
  file.nodes = ids.size();
  file.first_seen.assign(file.nodes, std::numeric_limits<double>::infinity());
  const auto node_of = [&ids](std::uint64_t id) {
    return static_cast<NodeIndex>(std::ranges::lower_bound(ids, id) - ids.begin());
  };
  file.edges.reserve(edges.size());
  for (const TimedEdge& edge : edges) {
    const Edge ends{node_of(edge.from), node_of(edge.to)};
    for (const NodeIndex v : {ends.first, ends.second}) file.first_seen[v] = std::min(file.first_seen[v], edge.time);
    file.edges.push_back(ends);
  }
}

// [nodes] how many different neighbours each has
std::vector<std::uint32_t> degrees_of(const GraphFile& file) {
  std::vector<Edge> once = file.edges;
  for (Edge& edge : once) edge = std::minmax({edge.first, edge.second});
  std::ranges::sort(once);
  once.erase(std::unique(once.begin(), once.end()), once.end());
  std::vector<std::uint32_t> degrees(file.nodes);
  for (const auto& [a, b] : once) {
    ++degrees[a];
    ++degrees[b];
  }
  return degrees;
}

// 1 from the median on, of an even number of nodes the upper one.
void classify_by_degree(GraphFile& file) {
  file.class_names = {"few neighbours", "many neighbours"};
  const std::vector<std::uint32_t> degrees = degrees_of(file);
  std::vector<std::uint32_t> sorted = degrees;
  const auto median = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::ranges::nth_element(sorted, median);
  SOUK_REQUIRE(*median > *std::ranges::min_element(degrees),
               "{}: task.data.temporal_edges.classes = DEGREE: more than half of the {} nodes have {} neighbours, and "
               "none has less: there are no two classes",
               file.path, file.nodes, *median);
  for (const std::uint32_t degree : degrees) file.labels.push_back(degree >= *median ? 1 : 0);
}

// Of what a node was given, all times that it was.
void classify_by_rating(const std::vector<TimedEdge>& edges, GraphFile& file) {
  file.class_names = {"rated 0 or less", "rated above 0"};
  std::vector<double> sums(file.nodes);  // with the sign of the mean
  file.labels.assign(file.nodes, -1);
  for (std::size_t e = 0; e < edges.size(); ++e) {
    const NodeIndex rated = file.edges[e].second;
    sums[rated] += edges[e].rating;
    file.labels[rated] = sums[rated] > 0.0 ? 1 : 0;
  }
  for (const std::int32_t label : {0, 1}) {
    SOUK_REQUIRE(std::ranges::find(file.labels, label) != file.labels.end(),
                 "{}: task.data.temporal_edges.classes = RATING: no node is {} in the mean: there are no two classes",
                 file.path, file.class_names[static_cast<std::size_t>(label)]);
  }
}

GraphFile read_temporal_edges(const scenario::TemporalEdges& config, const ReaderContext&) {
  const bool by_rating = config.classes() == scenario::TemporalEdges::RATING;
  GraphFile file;
  file.path = data_path("task.data.temporal_edges.path", config.path());
  EdgeList list = read_edges(file.path);
  SOUK_REQUIRE(list.rated || !by_rating,
               "{}: task.data.temporal_edges.classes = RATING: its lines are FROM TO TIME and have no ratings: choose "
               "DEGREE",
               file.path);
  keep_until(config.until(), list.edges);
  take_edges(list.edges, file);
  file.features.offsets.assign(file.nodes + 1, 0);
  by_rating ? classify_by_rating(list.edges, file) : classify_by_degree(file);
  if (list.loops > 0) {
    file.warnings.push_back(fmt::format("{}: {} edges from a node to itself are left out", file.path, list.loops));
  }
  return file;
}

// Tables of numbers look alike: that the last column is a time shows in Unix seconds from 1973 on, or, where there are
// no ratings, in whole numbers of more values than ratings have.
bool are_times(const std::vector<double>& numbers, bool rated) {
  constexpr double unix_seconds = 1e8;
  constexpr std::size_t ratings_max = 20;
  if (std::ranges::all_of(numbers, [](double number) { return number >= unix_seconds; })) return !numbers.empty();
  const bool whole = std::ranges::all_of(numbers, [](double n) { return n >= 0.0 && n == std::floor(n); });
  return !rated && whole && std::set<double>(numbers.begin(), numbers.end()).size() > ratings_max;
}

/// Whether the first lines of a file are edges with times, and with ratings; nothing where they are something else.
std::optional<bool> find_edges(const std::string& path) {
  constexpr std::size_t looked_at = 1000;
  EdgeLines parser(path);
  std::vector<double> times;
  try {
    TextLines(path).for_each([&](std::string_view text, std::size_t line) {
      if (times.size() == looked_at) return;
      if (const auto edge = parser.parse(text, line)) times.push_back(edge->time);
    });
  } catch (const InputError&) {  // other lines, or no text
    return std::nullopt;
  }
  return are_times(times, parser.rated()) ? std::optional(parser.rated()) : std::nullopt;
}

std::optional<Recognised> recognise_temporal_edges(const std::string& path, const RecognitionHints& hints) {
  const bool named = has_extension(path, {".txt", ".csv", ".tsv", ".edges"});
  if (!named || !hints.label.empty() || !std::filesystem::is_regular_file(path)) return std::nullopt;
  const auto rated = find_edges(path);
  if (!rated) return std::nullopt;
  Recognised found = recognised_as("edges with times");
  scenario::TemporalEdges& edges = *found.data->mutable_temporal_edges();
  edges.set_path(path);
  edges.mutable_graph()->set_features(scenario::GraphNodes::DEGREE);
  edges.mutable_graph()->mutable_temporal();
  found.remarks.push_back(
      *rated ? "lines are FROM,TO,RATING,TIME: classes: RATING tells nodes apart by their ratings, not their neighbours"
             : "lines are FROM TO TIME");
  found.remarks.push_back("features: DEGREE give classes: DEGREE away; features: IDENTITY do not");
  return found;
}

const RegisterRecogniser temporal_edges_recogniser(65, recognise_temporal_edges);

const RegisterGraph<scenario::TemporalEdges, read_temporal_edges> register_temporal_edges;

}  // namespace
}  // namespace souk
