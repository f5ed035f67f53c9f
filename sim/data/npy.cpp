#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/data/dataset_format.hpp"
#include "sim/data/npy_array.hpp"

namespace souk {
namespace {

constexpr std::int64_t classes_max = 65536;

// Labels and groups are small beside features and read at once.
std::vector<std::int64_t> read_integers(const std::string& path, const std::string& name, std::uint64_t expected) {
  NpyArray array = open_npy(path, name);
  SOUK_REQUIRE(array.shape.size() == 1 || (array.shape.size() == 2 && array.shape[1] == 1),
               "{}: {} dimensions, must have one", array.name, array.shape.size());
  SOUK_REQUIRE(array.values == expected, "{}: {} values for {} samples", array.name, array.values, expected);
  std::vector<std::int64_t> values(array.values);
  read_npy(array, values);
  finish_npy(array);
  return values;
}

class NpyReader final : public DatasetReader {
 public:
  NpyReader(const scenario::Npy& config, const ReaderContext&)
      : path_(expand_environment(config.path())), channels_last_(config.channels_last()) {
    SOUK_REQUIRE(!path_.empty(), "data.npy.path is empty: it must name an .npz archive or a directory");
    SOUK_REQUIRE(std::filesystem::exists(path_), "{}: no such file or directory (data.npy.path)", path_);
    open_split(splits_[0], config.train_features(), config.train_labels());
    open_split(splits_[1], config.test_features(), config.test_labels());
    SOUK_REQUIRE(splits_[0].sample_shape == splits_[1].sample_shape, "{}: samples of {} and {} differ in shape", path_,
                 splits_[0].name, splits_[1].name);
    SOUK_REQUIRE(splits_[0].is_bytes == splits_[1].is_bytes, "{}: {} and {} differ in type", path_, splits_[0].name,
                 splits_[1].name);
    for (const SplitArrays& split : splits_) {
      for (const std::int32_t label : split.labels) classes_ = std::max(classes_, label + 1);
    }
    if (!config.train_groups().empty()) read_groups(config.train_groups());
  }

  DatasetShape shape(Split split) override {
    const SplitArrays& arrays = of(split);
    DatasetShape shape;
    shape.samples = arrays.labels.size();
    shape.sample_shape = arrays.sample_shape;
    shape.element = arrays.is_bytes ? Element::u8 : Element::f32;
    for (std::int32_t c = 0; c < classes_; ++c) shape.class_names.push_back(std::to_string(c));
    shape.groups = split == Split::train ? group_count_ : 0;
    return shape;
  }

  void read(Split split, RowRange rows, const DatasetBuffers& out) override {
    const SplitArrays& arrays = of(split);
    const std::size_t n = rows.end - rows.begin;
    const std::size_t features = arrays.sample_shape[0] * arrays.sample_shape[1] * arrays.sample_shape[2];
    SOUK_EXPECT(rows.begin <= rows.end && rows.end <= arrays.labels.size() && out.labels.size() == n);
    SOUK_EXPECT((arrays.is_bytes ? out.u8.size() : out.f32.size()) == n * features);
    NpyArray array = open_npy(path_, arrays.name);
    skip_npy(array, rows.begin * features);
    if (arrays.is_bytes) {
      read_npy(array, out.u8);
      reorder(arrays, out.u8);
    } else {
      read_npy(array, out.f32);
      reorder(arrays, out.f32);
    }
    if (rows.end == arrays.labels.size()) finish_npy(array);
    std::copy_n(arrays.labels.begin() + static_cast<std::ptrdiff_t>(rows.begin), n, out.labels.begin());
    if (split == Split::train && group_count_ > 0) {
      SOUK_EXPECT(out.groups.size() == n);
      std::copy_n(groups_.begin() + static_cast<std::ptrdiff_t>(rows.begin), n, out.groups.begin());
    }
  }

  bool rows_are_independent() const override { return std::filesystem::is_directory(path_); }

 private:
  struct SplitArrays {
    std::string name;
    std::array<std::size_t, 3> sample_shape{1, 1, 1};
    bool is_bytes = false;
    std::vector<std::int32_t> labels;
  };

  const SplitArrays& of(Split split) const { return splits_[split == Split::train ? 0 : 1]; }

  void open_split(SplitArrays& split, const std::string& features, const std::string& labels) {
    const NpyArray array = open_npy(path_, features);
    split.name = features;
    split.is_bytes = array.type.kind == 'u' && array.type.bytes == 1;
    const auto& s = array.shape;
    SOUK_REQUIRE(!s.empty() && s.size() <= 4, "{}: {} dimensions, must be 1 to 4 (samples first)", array.name,
                 s.size());
    if (s.size() == 2) split.sample_shape = {s[1], 1, 1};
    if (s.size() == 3) split.sample_shape = {1, s[1], s[2]};
    if (s.size() == 4) {
      split.sample_shape = {channels_last_ ? s[3] : s[1], channels_last_ ? s[1] : s[2], channels_last_ ? s[2] : s[3]};
    }
    for (const std::int64_t label : read_integers(path_, labels, s[0])) {
      SOUK_REQUIRE(label >= 0 && label < classes_max, "{}: array {}: label {} is not in 0 to {}", path_, labels, label,
                   classes_max - 1);
      split.labels.push_back(static_cast<std::int32_t>(label));
    }
  }

  // Group ids may be any integers; groups are numbered in ascending order of them.
  void read_groups(const std::string& name) {
    const auto ids = read_integers(path_, name, splits_[0].labels.size());
    std::vector<std::int64_t> distinct = ids;
    std::sort(distinct.begin(), distinct.end());
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    group_count_ = distinct.size();
    for (const std::int64_t id : ids) {
      groups_.push_back(
          static_cast<std::uint32_t>(std::lower_bound(distinct.begin(), distinct.end(), id) - distinct.begin()));
    }
  }

  // From [height, width, channels] to [channels, height, width], sample by sample.
  template <class Value>
  void reorder(const SplitArrays& split, std::span<Value> values) const {
    const std::size_t channels = split.sample_shape[0], plane = split.sample_shape[1] * split.sample_shape[2];
    if (!channels_last_ || channels == 1 || plane == 1) return;
    std::vector<Value> sample(channels * plane);
    for (std::size_t begin = 0; begin < values.size(); begin += sample.size()) {
      std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(begin), sample.size(), sample.begin());
      for (std::size_t c = 0; c < channels; ++c) {
        for (std::size_t i = 0; i < plane; ++i) values[begin + c * plane + i] = sample[i * channels + c];
      }
    }
  }

  std::string path_;
  bool channels_last_;
  std::array<SplitArrays, 2> splits_;
  std::int32_t classes_ = 0;
  std::vector<std::uint32_t> groups_;
  std::size_t group_count_ = 0;
};

const RegisterReader<NpyReader, scenario::Npy> registered;

}  // namespace
}  // namespace souk
