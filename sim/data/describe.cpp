#include "sim/data/describe.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <google/protobuf/text_format.h>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/data/byte_source.hpp"
#include "sim/data/dataset_reader.hpp"
#include "sim/data/idx.hpp"
#include "sim/data/npy_array.hpp"
#include "sim/data/text_table.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t listed_classes_max = 20, listed_channels_max = 8;

struct Recognised {
  std::string format;
  scenario::Data data;
};

bool has_file(const std::string& directory, const std::string& name) {
  const std::array<std::string, 1> names{name};
  return !find_data_file(directory, names).empty();
}

std::optional<Recognised> recognise_idx(const std::string& directory) {
  Recognised found{"IDX directory", {}};
  found.data.mutable_idx()->set_directory(directory);
  if (has_file(directory, "train-images-idx3-ubyte") || has_file(directory, "train-images.idx3-ubyte")) return found;
  for (const char* split : {"balanced", "byclass", "bymerge", "digits", "letters", "mnist"}) {
    if (!has_file(directory, fmt::format("emnist-{}-train-images-idx3-ubyte", split))) continue;
    found.data.mutable_idx()->set_emnist_split(split);
    return found;
  }
  return std::nullopt;
}

std::optional<Recognised> recognise_cifar(const std::string& directory) {
  Recognised found{"CIFAR-10 directory", {}};
  found.data.mutable_cifar()->set_directory(directory);
  if (has_file(directory, "test_batch.bin")) return found;
  if (!has_file(directory, "train.bin") || !has_file(directory, "test.bin")) return std::nullopt;
  found.format = "CIFAR-100 directory";
  found.data.mutable_cifar()->set_labels(scenario::Cifar::CIFAR100_FINE);
  return found;
}

std::optional<Recognised> recognise_npy(const std::string& path, const char* format) {
  const std::vector<std::string> names = list_npy(path);
  const auto has = [&names](const std::string& name) { return std::binary_search(names.begin(), names.end(), name); };
  Recognised found{format, {}};
  scenario::Npy& npy = *found.data.mutable_npy();
  npy.set_path(path);
  if (has("x_train") && has("y_train") && has("x_test") && has("y_test")) return found;
  // The other common spelling.
  npy.set_train_features("train_images"), npy.set_train_labels("train_labels");
  npy.set_test_features("test_images"), npy.set_test_labels("test_labels");
  const bool other = has("train_images") && has("train_labels") && has("test_images") && has("test_labels");
  SOUK_REQUIRE(other || names.empty(),
               "{}: which of its arrays are the features and labels of which split? Name them in data.npy; it has: {}",
               path, fmt::format("{}", fmt::join(names, ", ")));
  return other ? std::optional(found) : std::nullopt;
}

// A table has a header if its first row holds no number although a later row does.
bool guess_header(const std::string& path, char separator) {
  const TextTable table(path, separator, false);
  const auto numbers = [&table](std::size_t row) {
    std::size_t count = 0;
    for (std::size_t c = 0; c < table.columns(); ++c) count += parse_number(table.cell(row, c)).has_value();
    return count;
  };
  return table.rows() > 1 && numbers(0) == 0 && numbers(1) > 0;
}

std::size_t count_words(std::string_view cell) {
  std::size_t words = 0;
  for (std::size_t i = 0; i < cell.size(); ++i) words += cell[i] != ' ' && (i == 0 || cell[i - 1] == ' ');
  return words;
}

// AG_NEWS's format: class numbers in the first column, sentences in the last one, with or without a header.
bool holds_news(const std::string& path) {
  constexpr std::size_t sentence = 5, classes_max = 1000;
  const TextTable table(path, ',', false);
  std::size_t sentences = 0;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const auto number = parse_number(table.cell(row, 0));
    const bool is_class = number && *number >= 1 && *number <= classes_max && *number == std::floor(*number);
    if (!is_class && (row > 0 || number)) return false;
    sentences += count_words(table.cell(row, table.columns() - 1)) >= sentence;
  }
  return table.columns() >= 2 && 2 * sentences > table.rows();
}

Recognised recognise_news(const std::string& path) {
  Recognised found{"news with class numbers (AG_NEWS)", {}};
  found.data.mutable_ag_news()->set_train(path);
  const fs::path file(path);
  if (file.filename().string().starts_with("train.csv")) {
    const std::array<std::string, 1> beside{"test.csv"};
    found.data.mutable_ag_news()->set_test(find_data_file(file.parent_path().string(), beside));
  }
  return found;
}

// The directory of TREC's two files.
std::optional<Recognised> recognise_trec(const std::string& directory) {
  const std::array<std::string, 1> train{"train_5500.label"}, test{"TREC_10.label"};
  Recognised found{"labelled questions (TREC)", {}};
  found.data.mutable_trec()->set_train(find_data_file(directory, train));
  found.data.mutable_trec()->set_test(find_data_file(directory, test));
  const bool both = !found.data.trec().train().empty() && !found.data.trec().test().empty();
  return both ? std::optional(found) : std::nullopt;
}

Recognised recognise_table(const std::string& path) {
  const bool tabs = path.ends_with(".tsv") || path.ends_with(".tsv.gz");
  Recognised found{"table", {}};
  scenario::Csv& csv = *found.data.mutable_csv();
  csv.set_train(path);
  csv.set_header(guess_header(path, tabs ? '\t' : ','));
  if (tabs) csv.set_separator("\t");
  // A test table beside it, named as UCI's sets name theirs.
  for (const auto& [train, test] : {std::pair(".data", ".test"), std::pair(".tra", ".tes")}) {
    if (!path.ends_with(train)) continue;
    const std::string beside = path.substr(0, path.size() - std::string(train).size()) + test;
    if (fs::is_regular_file(beside)) csv.set_test(beside);
  }
  return found;
}

std::optional<Recognised> recognise(const std::string& path) {
  if (fs::is_directory(path)) {
    if (auto found = recognise_idx(path)) return found;
    if (auto found = recognise_cifar(path)) return found;
    if (auto found = recognise_trec(path)) return found;
    if (fs::is_directory(fs::path(path) / "train")) {
      Recognised found{"image folder", {}};
      found.data.mutable_image_folder()->set_directory(path);
      return found;
    }
    return recognise_npy(path, "directory of NumPy arrays");
  }
  if (path.ends_with(".npz")) return recognise_npy(path, "NumPy archive");
  for (const char* extension : {".csv", ".csv.gz"}) {
    if (path.ends_with(extension) && holds_news(path)) return recognise_news(path);
  }
  for (const char* extension : {".csv", ".tsv", ".data", ".tra", ".txt"}) {
    if (path.ends_with(extension) || path.ends_with(std::string(extension) + ".gz")) return recognise_table(path);
  }
  return std::nullopt;
}

// One split in memory.
struct Loaded {
  explicit Loaded(DatasetShape its_shape)
      : shape(std::move(its_shape)),
        u8(shape.element == Element::u8 ? shape.samples * shape.features() : 0),
        f32(shape.element == Element::f32 ? shape.samples * shape.features() : 0),
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
std::vector<ChannelSummary> summarise(const DatasetShape& shape, const std::vector<Value>& values) {
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

SplitSummary summarise_split(DatasetReader& reader, Split split) {
  Loaded loaded(reader.shape(split));
  reader.read(split, {0, loaded.shape.samples}, loaded.buffers());
  SplitSummary summary{split == Split::train ? "train" : "test", loaded.shape.samples, {}, {}};
  summary.class_counts.resize(loaded.shape.class_names.size());
  for (const std::int32_t label : loaded.labels) ++summary.class_counts[static_cast<std::size_t>(label)];
  if (loaded.shape.vocabulary > 0) return summary;  // token numbers have no mean
  summary.channels =
      loaded.shape.element == Element::u8 ? summarise(loaded.shape, loaded.u8) : summarise(loaded.shape, loaded.f32);
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
  DatasetSummary summary{"IDX file of bytes", path, {}, {}, {}, {}};
  summary.shape.samples = sizes[0];
  summary.shape.sample_shape = sample_shape_of(sizes);
  summary.shape.element = Element::u8;
  std::vector<std::uint8_t> values(summary.shape.samples * summary.shape.features());
  source.read(values);
  source.expect_end();
  SplitSummary file{sizes.size() == 1 ? "labels" : "images", sizes[0], {}, {}};
  if (sizes.size() == 1) {
    file.class_counts.resize(std::size_t{*std::max_element(values.begin(), values.end())} + 1);
    for (const std::uint8_t label : values) ++file.class_counts[label];
    for (std::size_t c = 0; c < file.class_counts.size(); ++c) summary.shape.class_names.push_back(std::to_string(c));
  } else {
    file.channels = summarise(summary.shape, values);
  }
  summary.splits.push_back(std::move(file));
  return summary;
}

DatasetSummary describe_npy_file(const std::string& path) {
  NpyArray array = open_npy(path, "");
  SOUK_REQUIRE(!array.shape.empty() && array.shape.size() <= 4, "{}: {} dimensions, must be 1 to 4", path,
               array.shape.size());
  DatasetSummary summary{"NumPy array of " + array.type.name(), path, {}, {}, {}, {}};
  summary.shape.samples = array.shape[0];
  summary.shape.sample_shape = sample_shape_of(array.shape);
  std::vector<float> values(array.values);
  read_npy(array, values);
  finish_npy(array);
  summary.splits.push_back({"array", summary.shape.samples, {}, summarise(summary.shape, values)});
  return summary;
}

bool begins_like_idx(const std::string& path) {
  ByteSource source(path);
  std::array<std::uint8_t, 3> start{};
  return source.read_some(start) == start.size() && start[0] == 0 && start[1] == 0 && start[2] == 0x08;
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

void print_channels(const SplitSummary& split, bool bytes, std::string& out) {
  const auto to = std::back_inserter(out);
  for (std::size_t c = 0; c < std::min(split.channels.size(), listed_channels_max); ++c) {
    const ChannelSummary& channel = split.channels[c];
    fmt::format_to(to, "  channel {:<5} min {:.6g}  max {:.6g}  mean {:.6g}  std {:.6g}", c, channel.min, channel.max,
                   channel.mean, channel.std);
    if (bytes) fmt::format_to(to, "  (of 0..1: mean {:.4f}  std {:.4f})", channel.mean / 255, channel.std / 255);
    fmt::format_to(to, "\n");
  }
  if (split.channels.size() > listed_channels_max) {
    fmt::format_to(to, "  … and {} more channels\n", split.channels.size() - listed_channels_max);
  }
}

}  // namespace

std::string DatasetSummary::text() const {
  std::string out;
  const auto to = std::back_inserter(out);
  const bool bytes = shape.element == Element::u8;
  fmt::format_to(to, "format   {}\npath     {}\n", format, path);
  if (shape.vocabulary > 0) {
    fmt::format_to(to, "sample   {} tokens, numbers below {}\n", shape.sample_shape[0], shape.vocabulary);
  } else {
    fmt::format_to(to, "sample   {} x {} x {} (channels, height, width), {}\n", shape.sample_shape[0],
                   shape.sample_shape[1], shape.sample_shape[2], bytes ? "bytes" : "float32");
  }
  for (const std::string& warning : warnings) fmt::format_to(to, "warning  {}\n", warning);
  if (shape.groups > 0) fmt::format_to(to, "groups   {}\n", shape.groups);
  for (const SplitSummary& split : splits) {
    fmt::format_to(to, "{:<8} {} samples\n", split.name, split.samples);
    print_channels(split, bytes, out);
  }
  print_classes(*this, out);
  if (!snippet.empty()) fmt::format_to(to, "\n{}", snippet);
  return out;
}

DatasetSummary describe_path(const std::string& path) {
  SOUK_REQUIRE(fs::exists(path), "{}: no such file or directory", path);
  const auto found = recognise(path);
  if (!found && fs::is_regular_file(path)) {
    if (path.ends_with(".npy")) return describe_npy_file(path);
    if (begins_like_idx(path)) return describe_idx_file(path);
  }
  SOUK_REQUIRE(
      found.has_value(),
      "{}: no known data set: must be a directory of IDX, CIFAR, TREC or NumPy files (x_train, y_train, x_test, "
      "y_test) or of image folders (train/CLASS/…), a .csv table, an .npz archive, an IDX or .npy file",
      path);
  const auto reader = open_dataset(found->data, {});
  DatasetSummary summary{
      found->format, path, reader->shape(Split::train), {}, reader->warnings(), print_snippet(found->data)};
  for (const Split split : {Split::train, Split::test}) summary.splits.push_back(summarise_split(*reader, split));
  return summary;
}

}  // namespace souk
