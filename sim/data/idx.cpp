#include "sim/data/idx.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <utility>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/data/byte_source.hpp"
#include "sim/data/class_labels.hpp"
#include "sim/data/data_path.hpp"
#include "sim/data/dataset_format.hpp"
#include "sim/data/recognition.hpp"

namespace souk {

std::vector<std::uint64_t> read_idx_header(ByteSource& source) {
  std::array<std::uint8_t, 4> magic{};
  source.read(magic);
  if (magic[0] != 0 || magic[1] != 0) source.fail("not an IDX file: its first two bytes are not zero");
  if (magic[2] != 0x08) source.fail(fmt::format("IDX type 0x{:02x} is not unsigned bytes (0x08)", magic[2]));
  const std::size_t dimensions = magic[3];
  if (dimensions < 1 || dimensions > 4) source.fail(fmt::format("{} dimensions, must be 1 to 4", dimensions));
  std::vector<std::uint64_t> sizes(dimensions);
  std::uint64_t values = 1;
  const std::uint64_t bound = source.size_bound();
  for (std::uint64_t& size : sizes) {
    std::array<std::uint8_t, 4> bytes{};
    source.read(bytes);
    size = big_endian_32(bytes);
    if (size == 0) source.fail("a dimension of size 0");
    if (size > bound / values) source.fail("its header declares more data than the file can hold");
    values *= size;
  }
  const std::uint64_t expected = 4 + 4 * dimensions + values;
  if (expected > bound) source.fail(fmt::format("ends early: its header declares {} bytes", expected));
  if (!source.packed() && expected < bound) {
    source.fail(fmt::format("goes on after the {} bytes its header declares", expected));
  }
  return sizes;
}

std::size_t idx_dimensions(const std::string& path) {
  ByteSource source(path);
  std::array<std::uint8_t, 4> start{};
  const bool whole = source.read_some(start) == start.size();
  return whole && start[0] == 0 && start[1] == 0 && start[2] == 0x08 ? start[3] : 0;
}

namespace {

// What the EMNIST splits hold (Cohen et al., 2017); the other sets have the digits 0 to 9.
struct LabelSet {
  const char* split;
  const char* names;  // one character a class
  int first;          // value of the first label
};
constexpr std::array<LabelSet, 7> label_sets{{
    {"", "0123456789", 0},
    {"mnist", "0123456789", 0},
    {"digits", "0123456789", 0},
    {"letters", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 1},
    {"balanced", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt", 0},
    {"bymerge", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt", 0},
    {"byclass", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 0},
}};

const LabelSet& label_set(const std::string& split) {
  for (const LabelSet& set : label_sets) {
    if (split == set.split) return set;
  }
  throw_input_error(
      "task.data.idx.emnist_split = \"{}\": must be balanced, byclass, bymerge, digits, letters, mnist or empty",
      split);
}

class IdxReader final : public DatasetReader {
 public:
  IdxReader(const scenario::Idx& config, const ReaderContext&) : emnist_split_(config.emnist_split()) {
    if (config.directory().empty() && !config.images().empty()) {
      open_named(config);
    } else {
      open_directory(config);
    }
    SOUK_REQUIRE(files_[0].height == files_[1].height && files_[0].width == files_[1].width,
                 "{}: {} x {} images, but those of {} are {} x {}", files_[1].images, files_[1].height, files_[1].width,
                 files_[0].images, files_[0].height, files_[0].width);
    const std::vector<std::string> given(config.class_names().begin(), config.class_names().end());
    class_names_ = named_classes(given, class_names_, "task.data.idx.class_names");
  }

  DatasetShape shape(Split split) override {
    const Files& files = of(split);
    DatasetShape shape;
    shape.samples = files.samples;
    shape.sample_shape = {1, files.height, files.width};
    shape.element = Element::u8;
    shape.class_names = class_names_;
    return shape;
  }

  void read(Split split, RowRange rows, const DatasetBuffers& out) override {
    const Files& files = of(split);
    SOUK_EXPECT(rows.begin <= rows.end && rows.end <= files.samples);
    const std::size_t features = files.height * files.width;
    SOUK_EXPECT(out.u8.size() == (rows.end - rows.begin) * features && out.labels.size() == rows.end - rows.begin);
    ByteSource images(files.images);
    read_idx_header(images);
    images.skip(rows.begin * features);
    images.read(out.u8);
    if (rows.end == files.samples) images.expect_end();
    if (!emnist_split_.empty()) transpose_images(out.u8, files.height);
    read_labels(files, rows, out.labels);
  }

  bool rows_are_independent() const override { return !files_[0].packed && !files_[1].packed; }
  std::vector<std::string> warnings() const override { return warnings_; }

 private:
  struct Files {
    std::string images, labels;
    std::size_t samples = 0, height = 0, width = 0;
    bool packed = false;
  };

  const Files& of(Split split) const { return files_[split == Split::train ? 0 : 1]; }

  void open_directory(const scenario::Idx& config) {
    SOUK_REQUIRE(config.images().empty() && config.labels().empty() && config.test_images().empty() &&
                     config.test_labels().empty(),
                 "task.data.idx: names a directory as well as files: give one or the other");
    directory_ = data_path("task.data.idx.directory", config.directory());
    const LabelSet& set = label_set(emnist_split_);
    files_[0] = find_files(emnist_split_.empty() ? "train" : "emnist-" + emnist_split_ + "-train");
    files_[1] = find_files(emnist_split_.empty() ? "t10k" : "emnist-" + emnist_split_ + "-test");
    for (const char* name = set.names; *name != '\0'; ++name) class_names_.emplace_back(1, *name);
    for (std::size_t c = 0; c < class_names_.size(); ++c) values_.push_back(set.first + static_cast<int>(c));
  }

  // Files of any name: nobody says what their classes are but the labels.
  void open_named(const scenario::Idx& config) {
    SOUK_REQUIRE(emnist_split_.empty(),
                 "task.data.idx.emnist_split = \"{}\": goes with a directory, not with named files", emnist_split_);
    files_[0] = open_files(data_path("task.data.idx.images", config.images()),
                           data_path("task.data.idx.labels", config.labels()));
    files_[1] = open_files(data_path("task.data.idx.test_images", config.test_images()),
                           data_path("task.data.idx.test_labels", config.test_labels()));
    std::array<bool, 256> occurs{};
    for (const std::uint8_t label : label_bytes(files_[0], {0, files_[0].samples})) occurs[label] = true;
    for (int value = 0; value < 256; ++value) {
      if (!occurs[static_cast<std::size_t>(value)]) continue;
      values_.push_back(value);
      class_names_.push_back(std::to_string(value));
    }
    if (const std::string gaps = gaps_between(class_names_); !gaps.empty()) {
      warnings_.push_back(fmt::format("{}: {}", files_[0].labels, gaps));
    }
  }

  std::string find(const std::string& stem, const std::string& what, int dimensions) const {
    const std::array<std::string, 2> names{fmt::format("{}-{}-idx{}-ubyte", stem, what, dimensions),
                                           fmt::format("{}-{}.idx{}-ubyte", stem, what, dimensions)};
    std::string path = find_data_file(directory_, names);
    SOUK_REQUIRE(!path.empty(), "{}: has no file {} or {}.gz", directory_, names[0], names[0]);
    return path;
  }

  Files find_files(const std::string& stem) const {
    const std::string images = find(stem, "images", 3);
    return open_files(images, find(stem, "labels", 1));
  }

  Files open_files(const std::string& image_file, const std::string& label_file) const {
    Files files{image_file, label_file, 0, 0, 0, false};
    ByteSource images(files.images), labels(files.labels);
    const auto image_sizes = read_idx_header(images);
    const auto label_sizes = read_idx_header(labels);
    if (image_sizes.size() != 3) images.fail(fmt::format("{} dimensions, images have 3", image_sizes.size()));
    if (label_sizes.size() != 1) labels.fail(fmt::format("{} dimensions, labels have 1", label_sizes.size()));
    if (image_sizes[0] != label_sizes[0]) {
      labels.fail(fmt::format("{} labels for the {} images of {}", label_sizes[0], image_sizes[0], files.images));
    }
    files.samples = image_sizes[0];
    files.height = image_sizes[1];
    files.width = image_sizes[2];
    if (!emnist_split_.empty() && files.height != files.width) images.fail("EMNIST images must be square");
    files.packed = images.packed() || labels.packed();
    return files;
  }

  // EMNIST stores images column by column.
  static void transpose_images(std::span<std::uint8_t> images, std::size_t side) {
    for (std::size_t begin = 0; begin < images.size(); begin += side * side) {
      for (std::size_t row = 0; row < side; ++row) {
        for (std::size_t column = 0; column < row; ++column) {
          std::swap(images[begin + row * side + column], images[begin + column * side + row]);
        }
      }
    }
  }

  static std::vector<std::uint8_t> label_bytes(const Files& files, RowRange rows) {
    ByteSource source(files.labels);
    read_idx_header(source);
    source.skip(rows.begin);
    std::vector<std::uint8_t> bytes(rows.end - rows.begin);
    source.read(bytes);
    if (rows.end == files.samples) source.expect_end();
    return bytes;
  }

  void read_labels(const Files& files, RowRange rows, std::span<std::int32_t> out) const {
    const std::vector<std::uint8_t> bytes = label_bytes(files, rows);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const auto found = std::ranges::lower_bound(values_, static_cast<int>(bytes[i]));
      SOUK_REQUIRE(found != values_.end() && *found == bytes[i], "{}: label {} of sample {} is not in {} to {}{}",
                   files.labels, bytes[i], rows.begin + i, values_.front(), values_.back(),
                   directory_.empty() ? ", those of the training file" : "");
      out[i] = static_cast<std::int32_t>(found - values_.begin());
    }
  }

  std::string directory_, emnist_split_;
  std::vector<int> values_;  // [classes] label bytes, ascending
  std::vector<std::string> class_names_, warnings_;
  std::array<Files, 2> files_;
};

// The four files of any names in a directory, told apart by their dimensions and by "train" in their names.
std::optional<Recognised> recognise_named(const std::string& directory) {
  Recognised found = recognised_as("IDX files");
  scenario::Idx& idx = *found.data->mutable_idx();
  std::size_t images = 0, labels = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string path = entry.path().string(), name = entry.path().filename().string();
    if (!entry.is_regular_file() || name[0] == '.') continue;
    const std::size_t dimensions = idx_dimensions(path);
    const bool train = name.find("train") != std::string::npos;
    if (dimensions == 3) ++images, train ? idx.set_images(path) : idx.set_test_images(path);
    if (dimensions == 1) ++labels, train ? idx.set_labels(path) : idx.set_test_labels(path);
  }
  const bool all =
      !idx.images().empty() && !idx.labels().empty() && !idx.test_images().empty() && !idx.test_labels().empty();
  return all && images == 2 && labels == 2 ? std::optional(found) : std::nullopt;
}

std::optional<Recognised> recognise_idx(const std::string& path, const RecognitionHints&) {
  if (!std::filesystem::is_directory(path)) return std::nullopt;
  const auto has = [&path](const std::string& name) {
    const std::array<std::string, 1> names{name};
    return !find_data_file(path, names).empty();
  };
  Recognised found = recognised_as("IDX directory");
  found.data->mutable_idx()->set_directory(path);
  if (has("train-images-idx3-ubyte") || has("train-images.idx3-ubyte")) return found;
  for (const LabelSet& set : label_sets) {
    if (*set.split == '\0' || !has(fmt::format("emnist-{}-train-images-idx3-ubyte", set.split))) continue;
    found.data->mutable_idx()->set_emnist_split(set.split);
    return found;
  }
  return recognise_named(path);
}

const RegisterRecogniser idx_recogniser(10, recognise_idx);

const RegisterReader<IdxReader, scenario::Idx> register_idx_reader;

}  // namespace
}  // namespace souk
