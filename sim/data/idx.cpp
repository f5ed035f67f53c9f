#include "sim/data/idx.hpp"

#include <array>
#include <limits>
#include <utility>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/data/byte_source.hpp"
#include "sim/data/dataset_format.hpp"

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
      "data.idx.emnist_split = \"{}\": must be balanced, byclass, bymerge, digits, letters, mnist or empty", split);
}

class IdxReader final : public DatasetReader {
 public:
  IdxReader(const scenario::Idx& config, const ReaderContext&)
      : directory_(expand_environment(config.directory())),
        emnist_split_(config.emnist_split()),
        labels_(label_set(emnist_split_)) {
    SOUK_REQUIRE(!directory_.empty(), "data.idx.directory is empty: it must name the directory of the four files");
    files_[0] = find_files(emnist_split_.empty() ? "train" : "emnist-" + emnist_split_ + "-train");
    files_[1] = find_files(emnist_split_.empty() ? "t10k" : "emnist-" + emnist_split_ + "-test");
    SOUK_REQUIRE(files_[0].height == files_[1].height && files_[0].width == files_[1].width,
                 "{}: {} x {} images, but those of {} are {} x {}", files_[1].images, files_[1].height, files_[1].width,
                 files_[0].images, files_[0].height, files_[0].width);
  }

  DatasetShape shape(Split split) override {
    const Files& files = of(split);
    DatasetShape shape;
    shape.samples = files.samples;
    shape.sample_shape = {1, files.height, files.width};
    shape.element = Element::u8;
    for (const char* name = labels_.names; *name != '\0'; ++name) shape.class_names.emplace_back(1, *name);
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

 private:
  struct Files {
    std::string images, labels;
    std::size_t samples = 0, height = 0, width = 0;
    bool packed = false;
  };

  const Files& of(Split split) const { return files_[split == Split::train ? 0 : 1]; }

  std::string find(const std::string& stem, const std::string& what, int dimensions) const {
    const std::array<std::string, 2> names{fmt::format("{}-{}-idx{}-ubyte", stem, what, dimensions),
                                           fmt::format("{}-{}.idx{}-ubyte", stem, what, dimensions)};
    std::string path = find_data_file(directory_, names);
    SOUK_REQUIRE(!path.empty(), "{}: has no file {} or {}.gz", directory_, names[0], names[0]);
    return path;
  }

  Files find_files(const std::string& stem) const {
    Files files{find(stem, "images", 3), find(stem, "labels", 1), 0, 0, 0, false};
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

  void read_labels(const Files& files, RowRange rows, std::span<std::int32_t> out) const {
    ByteSource source(files.labels);
    read_idx_header(source);
    source.skip(rows.begin);
    std::vector<std::uint8_t> bytes(out.size());
    source.read(bytes);
    if (rows.end == files.samples) source.expect_end();
    const int classes = static_cast<int>(std::string(labels_.names).size());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const int label = bytes[i] - labels_.first;
      if (label < 0 || label >= classes) {
        source.fail(fmt::format("label {} of sample {} is not in {} to {}", bytes[i], rows.begin + i, labels_.first,
                                labels_.first + classes - 1));
      }
      out[i] = label;
    }
  }

  std::string directory_, emnist_split_;
  const LabelSet& labels_;
  std::array<Files, 2> files_;
};

const RegisterReader<IdxReader, scenario::Idx> registered;

}  // namespace
}  // namespace souk
