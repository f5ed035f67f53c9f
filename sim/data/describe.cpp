#include "sim/data/describe.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <google/protobuf/text_format.h>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/memory.hpp"
#include "sim/data/byte_source.hpp"
#include "sim/data/class_labels.hpp"
#include "sim/data/dataset_reader.hpp"
#include "sim/data/graphs/graph_file.hpp"
#include "sim/data/idx.hpp"
#include "sim/data/npy_array.hpp"
#include "sim/data/recognition.hpp"
#include "sim/data/text_file.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t listed_classes_max = 20, listed_channels_max = 8;

// One split in memory.
struct Loaded {
  explicit Loaded(DatasetShape its_shape)
      : shape(std::move(its_shape)),
        u8(shape.element == Element::u8 ? shape.samples * shape.row_values() : 0),
        f32(shape.element == Element::f32 ? shape.samples * shape.row_values() : 0),
        labels(shape.samples),
        groups(shape.groups > 0 ? shape.samples : 0) {}
  DatasetBuffers buffers() { return {u8, f32, labels, groups}; }

  DatasetShape shape;
  std::vector<std::uint8_t> u8;
  std::vector<float> f32;
  std::vector<std::int32_t> labels;
  std::vector<std::uint32_t> groups;
};

template <class Value>
std::vector<ChannelSummary> summarise_channels(const DatasetShape& shape, const std::vector<Value>& values) {
  const std::size_t channels = shape.sample_shape[0], plane = shape.features() / channels;
  std::vector<ChannelSummary> summary(
      channels, {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(), 0.0, 0.0});
  const double n = static_cast<double>(shape.samples * plane);
  for (std::size_t i = 0; i < values.size(); ++i) {
    ChannelSummary& channel = summary[i / plane % channels];
    const double value = static_cast<double>(values[i]);
    channel.min = std::min(channel.min, value);
    channel.max = std::max(channel.max, value);
    channel.mean += value / n;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    ChannelSummary& channel = summary[i / plane % channels];
    const double deviation = static_cast<double>(values[i]) - channel.mean;
    channel.std += deviation * deviation / n;
  }
  for (ChannelSummary& channel : summary) channel.std = std::sqrt(channel.std);
  return summary;
}

void require_room(const DatasetShape& shape) {
  const std::size_t bytes = shape.element == Element::u8 ? 1 : sizeof(float);
  const double needed = static_cast<double>(shape.samples) * static_cast<double>(shape.row_values() * bytes);
  SOUK_REQUIRE(needed <= available_memory(), "the data set needs {}, this node has {} to give", bytes_text(needed),
               bytes_text(available_memory()));
}

SplitSummary summarise_split(DatasetReader& reader, Split split, std::vector<std::string>& warnings) {
  require_room(reader.shape(split));
  Loaded loaded(reader.shape(split));
  reader.read(split, {0, loaded.shape.samples}, loaded.buffers());
  SplitSummary summary{split == Split::train ? "train" : "test", loaded.shape.samples, {}, {}};
  summary.class_counts.resize(loaded.shape.class_names.size());
  for (const std::int32_t label : loaded.labels) ++summary.class_counts[static_cast<std::size_t>(label)];
  const std::string empty = classes_without_sample(loaded.shape.class_names, loaded.labels);
  if (split == Split::train && !empty.empty()) warnings.push_back(empty);
  if (loaded.shape.vocabulary > 0 || loaded.shape.graph) return summary;  // token numbers have no mean
  summary.channels = loaded.shape.element == Element::u8 ? summarise_channels(loaded.shape, loaded.u8)
                                                         : summarise_channels(loaded.shape, loaded.f32);
  return summary;
}

GraphSummary summarise_graph(const StoredGraph& graph) {
  GraphSummary summary;
  summary.nodes = graph.shape().nodes;
  summary.edges = graph.neighbours.size() / 2;
  summary.features = graph.features.width;
  summary.feature_entries = graph.features.columns.size();
  for (std::size_t v = 0; v < summary.nodes; ++v) {
    const std::uint64_t begin = graph.edge_offsets[v], end = graph.edge_offsets[v + 1];
    summary.largest_degree = std::max<std::size_t>(summary.largest_degree, end - begin);
    for (std::uint64_t i = begin; i < end; ++i) {
      const NodeIndex other = graph.neighbours[i];
      if (other < v || graph.labels[v] < 0 || graph.labels[other] < 0) continue;
      ++summary.judged_edges;
      summary.edges_within += graph.labels[v] == graph.labels[other] ? 1 : 0;
    }
  }
  return summary;
}

SplitSummary summarise_validation(const StoredGraph& graph, std::size_t classes) {
  SplitSummary summary{"validation", graph.validation_nodes.size(), {}, {}};
  summary.class_counts.resize(classes);
  for (const NodeIndex v : graph.validation_nodes) ++summary.class_counts[static_cast<std::size_t>(graph.labels[v])];
  return summary;
}

std::string print_snippet(const scenario::Data& data) {
  std::string fields;
  google::protobuf::TextFormat::Printer printer;
  printer.SetInitialIndentLevel(1);
  SOUK_EXPECT(printer.PrintToString(data, &fields));
  return "data {\n" + fields + "}\n";
}

// The trailing sizes of an array as a sample shape.
std::array<std::size_t, 3> sample_shape_of(const std::vector<std::uint64_t>& sizes) {
  std::array<std::size_t, 3> shape{1, 1, 1};
  if (sizes.size() == 2) shape = {sizes[1], 1, 1};
  if (sizes.size() == 3) shape = {1, sizes[1], sizes[2]};
  if (sizes.size() == 4) shape = {sizes[1], sizes[2], sizes[3]};
  return shape;
}

DatasetSummary describe_idx_file(const std::string& path) {
  ByteSource source(path);
  const auto sizes = read_idx_header(source);
  DatasetSummary summary{"IDX file of bytes", path, {}, {}, {}, {}, {}};
  summary.shape.samples = sizes[0];
  summary.shape.sample_shape = sample_shape_of(sizes);
  summary.shape.element = Element::u8;
  require_room(summary.shape);
  std::vector<std::uint8_t> values(summary.shape.samples * summary.shape.features());
  source.read(values);
  source.expect_end();
  SplitSummary file{sizes.size() == 1 ? "labels" : "images", sizes[0], {}, {}};
  if (sizes.size() == 1) {
    file.class_counts.resize(std::size_t{*std::max_element(values.begin(), values.end())} + 1);
    for (const std::uint8_t label : values) ++file.class_counts[label];
    for (std::size_t c = 0; c < file.class_counts.size(); ++c) summary.shape.class_names.push_back(std::to_string(c));
  } else {
    file.channels = summarise_channels(summary.shape, values);
  }
  summary.splits.push_back(std::move(file));
  return summary;
}

DatasetSummary describe_npy_file(const std::string& path) {
  NpyArray array = open_npy(path, "");
  SOUK_REQUIRE(!array.shape.empty() && array.shape.size() <= 4, "{}: {} dimensions, must be 1 to 4", path,
               array.shape.size());
  DatasetSummary summary{"NumPy array of " + array.type.name(), path, {}, {}, {}, {}, {}};
  summary.shape.samples = array.shape[0];
  summary.shape.sample_shape = sample_shape_of(array.shape);
  require_room(summary.shape);
  std::vector<float> values(array.values);
  read_npy(array, values);
  finish_npy(array);
  summary.splits.push_back({"array", summary.shape.samples, {}, summarise_channels(summary.shape, values)});
  return summary;
}

void print_classes(const DatasetSummary& summary, std::string& out) {
  const auto to = std::back_inserter(out);
  if (summary.shape.class_names.empty()) return;
  fmt::format_to(to, "classes  {}\n", summary.shape.class_names.size());
  for (std::size_t c = 0; c < std::min(summary.shape.class_names.size(), listed_classes_max); ++c) {
    fmt::format_to(to, "  {:<24}", summary.shape.class_names[c]);
    for (const SplitSummary& split : summary.splits) fmt::format_to(to, " {:>9}", split.class_counts[c]);
    fmt::format_to(to, "\n");
  }
  if (summary.shape.class_names.size() > listed_classes_max) {
    fmt::format_to(to, "  … and {} more\n", summary.shape.class_names.size() - listed_classes_max);
  }
}

// What the channels of a table's rows are called; empty where they have no names.
std::vector<std::string> names_of_features(const DatasetShape& shape) {
  std::vector<std::string> names;
  for (const TableColumn& column : shape.columns) {
    if (column.categories.empty()) names.push_back(column.name);
    for (const std::string& category : column.categories) names.push_back(column.name + "=" + category);
  }
  return names;
}

void print_graph(const GraphSummary& graph, std::string& out) {
  const auto to = std::back_inserter(out);
  const auto a_node = [&graph](std::size_t count) {
    return static_cast<double>(count) / static_cast<double>(std::max<std::size_t>(graph.nodes, 1));
  };
  fmt::format_to(to, "nodes    {}\n", graph.nodes);
  fmt::format_to(to, "edges    {}: a node has {:.2f} neighbours on average, and at most {}\n", graph.edges,
                 a_node(2 * graph.edges), graph.largest_degree);
  fmt::format_to(to, "features {} with {} entries, {:.1f} a node\n", graph.features, graph.feature_entries,
                 a_node(graph.feature_entries));
  if (graph.judged_edges == 0) return;
  fmt::format_to(to, "within a class are {:.3f} of the edges{}\n",
                 static_cast<double>(graph.edges_within) / static_cast<double>(graph.judged_edges),
                 graph.judged_edges < graph.edges ? fmt::format(" ({} whose nodes have one)", graph.judged_edges) : "");
}

void print_channels(const SplitSummary& split, const DatasetShape& shape, std::string& out) {
  const bool bytes = shape.element == Element::u8;
  const std::vector<std::string> names = names_of_features(shape);
  const auto to = std::back_inserter(out);
  for (std::size_t c = 0; c < std::min(split.channels.size(), listed_channels_max); ++c) {
    const ChannelSummary& channel = split.channels[c];
    const std::string name = names.empty() ? fmt::format("channel {}", c) : names[c];
    fmt::format_to(to, "  {:<13} min {:.6g}  max {:.6g}  mean {:.6g}  std {:.6g}", name, channel.min, channel.max,
                   channel.mean, channel.std);
    if (bytes) fmt::format_to(to, "  (of 0..1: mean {:.4f}  std {:.4f})", channel.mean / 255, channel.std / 255);
    fmt::format_to(to, "\n");
  }
  if (split.channels.size() > listed_channels_max) {
    fmt::format_to(to, "  … and {} more {}\n", split.channels.size() - listed_channels_max,
                   names.empty() ? "channels" : "features");
  }
}

}  // namespace

std::string DatasetSummary::text() const {
  std::string out;
  const auto to = std::back_inserter(out);
  const bool bytes = shape.element == Element::u8;
  fmt::format_to(to, "format   {}\npath     {}\n", format, path);
  if (graph) {
    print_graph(*graph, out);
  } else if (shape.vocabulary > 0) {
    fmt::format_to(to, "sample   {} tokens, numbers below {}\n", shape.sample_shape[0], shape.vocabulary);
  } else {
    fmt::format_to(to, "sample   {} x {} x {} (channels, height, width), {}\n", shape.sample_shape[0],
                   shape.sample_shape[1], shape.sample_shape[2], bytes ? "bytes" : "float32");
  }
  for (const std::string& remark : remarks) fmt::format_to(to, "note     {}\n", remark);
  for (const std::string& warning : warnings) fmt::format_to(to, "warning  {}\n", warning);
  if (shape.groups > 0) fmt::format_to(to, "groups   {}\n", shape.groups);
  for (const SplitSummary& split : splits) {
    fmt::format_to(to, "{:<{}} {} {}\n", split.name, graph ? 10 : 8, split.samples, graph ? "nodes" : "samples");
    print_channels(split, shape, out);
  }
  print_classes(*this, out);
  if (!snippet.empty()) fmt::format_to(to, "\n{}", snippet);
  return out;
}

DatasetSummary describe_path(const std::string& path, const std::string& label) {
  SOUK_REQUIRE(fs::exists(path), "{}: no such file or directory; looked for {}", path, fs::absolute(path).string());
  const auto found = recognise(path, {.label = label});
  if (!found && fs::is_regular_file(path)) {
    if (path.ends_with(".npy")) return describe_npy_file(path);
    if (idx_dimensions(path) > 0) return describe_idx_file(path);
    std::array<std::uint8_t, 16> start{};
    const std::size_t got = ByteSource(path).read_some(start);
    const std::string known = what_begins({reinterpret_cast<const char*>(start.data()), got});
    SOUK_REQUIRE(known.empty(), "{}: {}", path, known);
  }
  SOUK_REQUIRE(
      found.has_value(),
      "{}: no known data set: must be a directory of IDX, CIFAR, TREC or NumPy files (x_train, y_train, x_test, "
      "y_test), of LEAF's JSON, of image folders (train/CLASS/…) or of a graph (Planetoid's, LINQS's, MUSAE's or OGB's "
      "files), a table (.csv, .tsv, .data, .txt), labelled lines of text, edges with times, an .npz archive, an IDX or "
      ".npy file",
      path);
  const bool has_columns = found->data->has_csv() || found->data->has_lines() || found->data->has_musae();
  SOUK_REQUIRE(label.empty() || has_columns, "--label {}: {} ({}) has no columns to choose from", label, path,
               found->format);
  const auto reader = open_dataset(*found->data, {});
  DatasetSummary summary{found->format,
                         path,
                         reader->shape(Split::train),
                         {},
                         found->remarks,
                         reader->warnings(),
                         print_snippet(*found->data)};
  for (const Split split : {Split::train, Split::test}) {
    summary.splits.push_back(summarise_split(*reader, split, summary.warnings));
  }
  if (const StoredGraph* graph = reader->graph(); graph != nullptr) {
    summary.graph = summarise_graph(*graph);
    summary.splits.push_back(summarise_validation(*graph, summary.shape.class_names.size()));
  }
  return summary;
}

}  // namespace souk
