#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/memory.hpp"
#include "sim/data/class_labels.hpp"
#include "sim/data/class_limit.hpp"
#include "sim/data/data_path.hpp"
#include "sim/data/dataset_format.hpp"
#include "sim/data/npy_array.hpp"
#include "sim/data/recognition.hpp"
#include "sim/data/test_rows.hpp"

namespace souk {
namespace {

// Labels and groups are small beside features and read at once.
template <class Value>
std::vector<Value> read_labels(const std::string& path, const std::string& name, std::uint64_t expected) {
  NpyArray array = open_npy(path, name);
  SOUK_REQUIRE(array.shape.size() == 1 || (array.shape.size() == 2 && array.shape[1] == 1),
               "{}: {} dimensions, must have one", array.name, array.shape.size());
  SOUK_REQUIRE(array.values == expected, "{}: {} values for {} samples", array.name, array.values, expected);
  const double needed = static_cast<double>(array.values) * static_cast<double>(sizeof(Value));
  SOUK_REQUIRE(needed <= available_memory(), "{}: {} values need {}, this node has {} to give", array.name,
               array.values, bytes_text(needed), bytes_text(available_memory()));
  std::vector<Value> values(array.values);
  read_npy(array, std::span(values));
  finish_npy(array);
  return values;
}

std::vector<std::int64_t> distinct(std::vector<std::int64_t> values) {
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

class NpyReader final : public DatasetReader {
 public:
  NpyReader(const scenario::Npy& config, const ReaderContext& context)
      : path_(data_path("task.data.npy.path", config.path())), channels_last_(config.channels_last()) {
    SOUK_REQUIRE(config.test_features().empty() == config.test_labels().empty(),
                 "task.data.npy: test_features and test_labels must both be named, or both be empty");
    splits_[0].name = config.train_features();
    open_split(splits_[0]);
    if (config.regression()) {
      SOUK_REQUIRE(config.class_names().empty(), "task.data.npy.class_names: numbers to predict have no classes");
      splits_[0].take_numbers(read_labels<float>(path_, config.train_labels(), splits_[0].rows));
    } else {
      const auto labels = read_labels<std::int64_t>(path_, config.train_labels(), splits_[0].rows);
      find_classes(labels, config);
      splits_[0].labels = classes_of(labels, config.train_labels());
    }
    if (config.test_features().empty()) {
      draw_split(config.test_fraction(), config.split_seed() > 0 ? config.split_seed() : context.seed);
    } else {
      open_test(config);
    }
    if (!config.train_groups().empty()) read_groups(config.train_groups());
  }

  DatasetShape shape(Split split) override {
    const SplitArrays& arrays = of(split);
    DatasetShape shape;
    shape.samples = arrays.labels.size();
    shape.sample_shape = arrays.sample_shape;
    shape.element = arrays.is_bytes ? Element::u8 : Element::f32;
    shape.numbers = class_names_.empty();
    shape.class_names = class_names_;
    shape.groups = split == Split::train ? group_count_ : 0;
    return shape;
  }

  void read(Split split, RowRange rows, const DatasetBuffers& out) override {
    const SplitArrays& arrays = of(split);
    const std::size_t n = rows.end - rows.begin;
    const std::size_t features = arrays.sample_shape[0] * arrays.sample_shape[1] * arrays.sample_shape[2];
    SOUK_EXPECT(rows.begin <= rows.end && rows.end <= arrays.labels.size() &&
                out.labels.size() + out.numbers.size() == n);
    SOUK_EXPECT((arrays.is_bytes ? out.u8.size() : out.f32.size()) == n * features);
    if (arrays.is_bytes) {
      read_rows(arrays, rows, out.u8);
      reorder(arrays, out.u8);
    } else {
      read_rows(arrays, rows, out.f32);
      reorder(arrays, out.f32);
    }
    if (arrays.numbers.empty()) {
      std::copy_n(arrays.labels.begin() + static_cast<std::ptrdiff_t>(rows.begin), n, out.labels.begin());
    } else {
      std::copy_n(arrays.numbers.begin() + static_cast<std::ptrdiff_t>(rows.begin), n, out.numbers.begin());
    }
    if (split == Split::train && group_count_ > 0) {
      SOUK_EXPECT(out.groups.size() == n);
      std::copy_n(groups_.begin() + static_cast<std::ptrdiff_t>(rows.begin), n, out.groups.begin());
    }
  }

  bool rows_are_independent() const override { return std::filesystem::is_directory(path_); }
  std::vector<std::string> warnings() const override { return warnings_; }

 private:
  struct SplitArrays {
    std::string name;
    std::array<std::size_t, 3> sample_shape{1, 1, 1};
    bool is_bytes = false;
    std::size_t rows = 0;              // of the array
    std::vector<std::int32_t> labels;  // [samples]; 0 where there are numbers to predict
    std::vector<float> numbers;        // [samples] to predict; empty where there are classes
    std::vector<std::size_t> row_of;   // [samples] rows of the array, ascending; empty: all of them

    void take_numbers(std::vector<float> values) {
      labels.assign(values.size(), 0);  // all of one kind
      numbers = std::move(values);
    }
  };

  const SplitArrays& of(Split split) const { return splits_[split == Split::train ? 0 : 1]; }

  void open_split(SplitArrays& split) {
    const NpyArray array = open_npy(path_, split.name);
    split.is_bytes = array.type.kind == 'u' && array.type.bytes == 1;
    const auto& s = array.shape;
    SOUK_REQUIRE(!s.empty() && s.size() <= 4, "{}: {} dimensions, must be 1 to 4 (samples first)", array.name,
                 s.size());
    split.rows = s[0];
    if (s.size() == 2) split.sample_shape = {s[1], 1, 1};
    if (s.size() == 3) split.sample_shape = {1, s[1], s[2]};
    if (s.size() == 4) {
      split.sample_shape = {channels_last_ ? s[3] : s[1], channels_last_ ? s[1] : s[2], channels_last_ ? s[2] : s[3]};
    }
  }

  void open_test(const scenario::Npy& config) {
    splits_[1].name = config.test_features();
    open_split(splits_[1]);
    const std::string& labels = config.test_labels();
    if (config.regression()) {
      splits_[1].take_numbers(read_labels<float>(path_, labels, splits_[1].rows));
    } else {
      splits_[1].labels = classes_of(read_labels<std::int64_t>(path_, labels, splits_[1].rows), labels);
    }
    SOUK_REQUIRE(splits_[0].sample_shape == splits_[1].sample_shape, "{}: samples of {} and {} differ in shape", path_,
                 splits_[0].name, splits_[1].name);
    SOUK_REQUIRE(splits_[0].is_bytes == splits_[1].is_bytes, "{}: {} and {} differ in type", path_, splits_[0].name,
                 splits_[1].name);
  }

  void find_classes(const std::vector<std::int64_t>& labels, const scenario::Npy& config) {
    classes_ = distinct(labels);
    SOUK_REQUIRE(classes_.size() <= classes_max, "{}: array {}: {} different labels, must be at most {}", path_,
                 config.train_labels(), classes_.size(), classes_max);
    for (const std::int64_t label : classes_) class_names_.push_back(std::to_string(label));
    if (const std::string gaps = gaps_between(class_names_); !gaps.empty()) {
      warnings_.push_back(fmt::format("{}: array {}: {}", path_, config.train_labels(), gaps));
    }
    const std::vector<std::string> given(config.class_names().begin(), config.class_names().end());
    class_names_ = named_classes(given, class_names_, "task.data.npy.class_names");
  }

  std::vector<std::int32_t> classes_of(const std::vector<std::int64_t>& labels, const std::string& array) const {
    std::vector<std::int32_t> classes;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const auto found = std::ranges::lower_bound(classes_, labels[i]);
      SOUK_REQUIRE(found != classes_.end() && *found == labels[i],
                   "{}: array {}: label {} of sample {} is in no training sample", path_, array, labels[i], i);
      classes.push_back(static_cast<std::int32_t>(found - classes_.begin()));
    }
    return classes;
  }

  // Takes test samples out of those of splits_[0].
  void draw_split(double share, std::uint64_t seed) {
    SplitArrays& train = splits_[0];
    const std::vector<bool> is_test = draw_test_rows(train.labels, share, seed, path_);
    const SplitArrays all = train;
    splits_[1] = all;
    for (SplitArrays& split : splits_) {
      split.labels.clear();
      split.numbers.clear();
    }
    for (std::size_t row = 0; row < all.rows; ++row) {
      SplitArrays& split = splits_[is_test[row] ? 1 : 0];
      split.labels.push_back(all.labels[row]);
      if (!all.numbers.empty()) split.numbers.push_back(all.numbers[row]);
      split.row_of.push_back(row);
    }
  }

  template <class Value>
  void read_rows(const SplitArrays& split, RowRange rows, std::span<Value> out) const {
    if (rows.begin == rows.end) return;
    const auto row_at = [&split](std::size_t sample) { return split.row_of.empty() ? sample : split.row_of[sample]; };
    const std::size_t features = out.size() / (rows.end - rows.begin);
    NpyArray array = open_npy(path_, split.name);
    std::size_t at = 0;  // row of the array
    for (std::size_t sample = rows.begin; sample < rows.end;) {
      std::size_t end = sample + 1;  // of a run of samples that lie one after the other
      while (end < rows.end && row_at(end) == row_at(end - 1) + 1) ++end;
      skip_npy(array, (row_at(sample) - at) * features);
      read_npy(array, out.subspan((sample - rows.begin) * features, (end - sample) * features));
      at = row_at(end - 1) + 1;
      sample = end;
    }
    if (at == split.rows) finish_npy(array);
  }

  // Group ids may be any integers; groups are numbered in ascending order of them.
  void read_groups(const std::string& name) {
    const SplitArrays& train = splits_[0];
    std::vector<std::int64_t> ids = read_labels<std::int64_t>(path_, name, train.rows);
    for (std::size_t i = 0; i < train.row_of.size(); ++i) ids[i] = ids[train.row_of[i]];  // ascending: none is lost
    ids.resize(train.labels.size());
    const std::vector<std::int64_t> names = distinct(ids);
    group_count_ = names.size();
    for (const std::int64_t id : ids) {
      groups_.push_back(static_cast<std::uint32_t>(std::ranges::lower_bound(names, id) - names.begin()));
    }
    const auto none = std::ranges::count(ids, std::int64_t{-1});
    if (none == 0) return;
    warnings_.push_back(
        fmt::format("{}: array {}: -1 is taken as a group like others; {} samples are of it", path_, name, none));
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
  std::vector<std::int64_t> classes_;  // labels, ascending
  std::vector<std::string> class_names_, warnings_;
  std::vector<std::uint32_t> groups_;
  std::size_t group_count_ = 0;
};

// How exports name their arrays: features and labels of training, then of testing.
struct ArrayNames {
  const char *train_features, *train_labels, *test_features, *test_labels;
};
constexpr std::array<ArrayNames, 7> usual_names{{
    {"x_train", "y_train", "x_test", "y_test"},
    {"X_train", "y_train", "X_test", "y_test"},
    {"train_x", "train_y", "test_x", "test_y"},
    {"trainX", "trainy", "testX", "testy"},
    {"train_images", "train_labels", "test_images", "test_labels"},
    {"train_data", "train_labels", "test_data", "test_labels"},
    {"train_features", "train_labels", "test_features", "test_labels"},
}};
// Of samples that nobody has split.
constexpr std::array<std::array<const char*, 2>, 9> usual_pairs{{
    {"x", "y"},
    {"X", "y"},
    {"x", "label"},
    {"image", "label"},
    {"images", "labels"},
    {"img", "label"},
    {"data", "labels"},
    {"data", "target"},
    {"features", "labels"},
}};

std::optional<Recognised> recognise_npy(const std::string& path, const RecognitionHints&) {
  const bool directory = std::filesystem::is_directory(path);
  if (!directory && !path.ends_with(".npz")) return std::nullopt;
  const std::vector<std::string> names = list_npy(path);
  if (names.empty()) return std::nullopt;
  const auto has = [&names](const std::string& name) { return std::ranges::binary_search(names, name); };
  Recognised found = recognised_as(directory ? "directory of NumPy arrays" : "NumPy archive");
  scenario::Npy& npy = *found.data->mutable_npy();
  npy.set_path(path);
  for (const auto& [train_features, train_labels, test_features, test_labels] : usual_names) {
    if (!has(train_features) || !has(train_labels) || !has(test_features) || !has(test_labels)) continue;
    npy.set_train_features(train_features), npy.set_train_labels(train_labels);
    npy.set_test_features(test_features), npy.set_test_labels(test_labels);
    return found;
  }
  for (const auto& [features, labels] : usual_pairs) {
    if (!has(features) || !has(labels)) continue;
    npy.set_train_features(features), npy.set_train_labels(labels);
    npy.set_test_features(""), npy.set_test_labels("");
    return found;
  }
  throw_input_error(
      "{}: which of its arrays are the features and labels of which split? Name them in task.data.npy; it has: {}",
      path, fmt::format("{}", fmt::join(names, ", ")));
}

const RegisterRecogniser npy_recogniser(60, recognise_npy);

const RegisterReader<NpyReader, scenario::Npy> register_npy_reader;

}  // namespace
}  // namespace souk
