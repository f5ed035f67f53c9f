#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/data/class_labels.hpp"
#include "sim/data/class_limit.hpp"
#include "sim/data/data_path.hpp"
#include "sim/data/dataset_format.hpp"
#include "sim/data/leaf_json.hpp"
#include "sim/data/recognition.hpp"
#include "sim/data/table_columns.hpp"
#include "sim/data/test_rows.hpp"
#include "sim/data/vocabulary.hpp"

namespace souk {
namespace {

struct SampleAt {
  std::uint32_t user = 0, place = 0;
};

std::vector<SampleAt> samples_of(const LeafUsers& users) {
  std::vector<SampleAt> samples;
  for (std::uint32_t u = 0; u < users.users.size(); ++u) {
    for (std::uint32_t i = 0; i < users.users[u].labels.size(); ++i) samples.push_back({u, i});
  }
  return samples;
}

// Users are the groups, in the order of their files. Their samples stay as they were read until they are asked for.
class LeafReader final : public DatasetReader {
 public:
  LeafReader(const scenario::Leaf& config, const ReaderContext& context)
      : train_path_(data_path("task.data.leaf.train", config.train())), train_(read_leaf(train_path_)) {
    choose_shape(config);
    find_classes();
    std::vector<SampleAt> all = samples_of(train_);
    if (config.test().empty()) {
      draw_split(all, config.test_fraction(), config.split_seed() > 0 ? config.split_seed() : context.seed);
    } else {
      open_test(data_path("task.data.leaf.test", config.test()));
      samples_[0] = std::move(all);
    }
    const std::vector<std::string> given(config.class_names().begin(), config.class_names().end());
    class_names_ = named_classes(given, class_names_, "task.data.leaf.class_names");
  }

  DatasetShape shape(Split split) override {
    DatasetShape shape;
    shape.samples = samples(split).size();
    shape.sample_shape = sample_shape_;
    shape.element = Element::f32;
    shape.class_names = class_names_;
    shape.groups = split == Split::train ? train_.users.size() : 0;
    shape.vocabulary = train_.texts ? first_word_token + leaf_characters.size() : 0;
    return shape;
  }

  void read(Split split, RowRange rows, const DatasetBuffers& out) override {
    const std::size_t n = rows.end - rows.begin, width = train_.width;
    SOUK_EXPECT(rows.begin <= rows.end && rows.end <= samples(split).size());
    SOUK_EXPECT(out.labels.size() == n && out.f32.size() == n * width);
    const bool of_test = split == Split::test && !test_.users.empty();
    const LeafUsers& users = of_test ? test_ : train_;
    const std::string& path = of_test ? test_path_ : train_path_;
    for (std::size_t i = 0; i < n; ++i) {
      const SampleAt at = samples(split)[rows.begin + i];
      const LeafUser& user = users.users[at.user];
      std::copy_n(user.x.begin() + static_cast<std::ptrdiff_t>(at.place * width), width,
                  out.f32.begin() + static_cast<std::ptrdiff_t>(i * width));
      out.labels[i] = class_of(path, user, at.place);
      if (split == Split::train) out.groups[i] = at.user;
    }
  }

  std::vector<std::string> warnings() const override { return warnings_; }

 private:
  const std::vector<SampleAt>& samples(Split split) const { return samples_[split == Split::train ? 0 : 1]; }

  void choose_shape(const scenario::Leaf& config) {
    const std::size_t height = config.height(), width = config.width();
    sample_shape_ = {train_.width, 1, 1};
    if (height == 0 && width == 0) return;
    SOUK_REQUIRE(!train_.texts, "task.data.leaf.height = {}: the samples are texts, not images", height);
    SOUK_REQUIRE(height * width == train_.width,
                 "task.data.leaf: height = {} and width = {} make {} values, the samples have {}", height, width,
                 height * width, train_.width);
    sample_shape_ = {1, height, width};
  }

  void find_classes() {
    if (train_.texts) {
      for (const char c : leaf_characters)
        class_names_.push_back(c == '\n' ? "\\n" : c == ' ' ? "space" : std::string{c});
      return;
    }
    std::vector<std::string_view> labels;
    for (const LeafUser& user : train_.users) labels.insert(labels.end(), user.labels.begin(), user.labels.end());
    classes_ = ClassLabels(labels);
    class_names_ = classes_.names();
    SOUK_REQUIRE(class_names_.size() <= classes_max, "{}: {} different labels, must be at most {}", train_path_,
                 class_names_.size(), classes_max);
    if (const std::string gaps = gaps_between(class_names_); !gaps.empty()) {
      warnings_.push_back(fmt::format("{}: {}", train_path_, gaps));
    }
  }

  void open_test(const std::string& path) {
    test_path_ = path;
    test_ = read_leaf(path);
    SOUK_REQUIRE(test_.width == train_.width && test_.texts == train_.texts,
                 "{}: its samples are {} of {} values, those of {} are {} of {}", path,
                 test_.texts ? "texts" : "lists of numbers", test_.width, train_path_,
                 train_.texts ? "texts" : "lists of numbers", train_.width);
    samples_[1] = samples_of(test_);
  }

  void draw_split(const std::vector<SampleAt>& all, double share, std::uint64_t seed) {
    std::vector<std::int32_t> labels;
    for (const SampleAt at : all) labels.push_back(class_of(train_path_, train_.users[at.user], at.place));
    const std::vector<bool> is_test = draw_test_rows(labels, share, seed, train_path_);
    for (std::size_t i = 0; i < all.size(); ++i) samples_[is_test[i] ? 1 : 0].push_back(all[i]);
  }

  std::int32_t class_of(const std::string& path, const LeafUser& user, std::size_t place) const {
    const std::string& label = user.labels[place];
    if (!train_.texts) {
      const auto found = classes_.find(label);
      SOUK_REQUIRE(found.has_value(), "{}: user {}: label {} of sample {} is in no training sample", path,
                   quote_cell(user.name), quote_cell(label), place);
      return *found;
    }
    const std::size_t found = label.size() == 1 ? leaf_characters.find(label[0]) : std::string_view::npos;
    SOUK_REQUIRE(found != std::string_view::npos, "{}: user {}: label {} of sample {} is none of LEAF's 80 characters",
                 path, quote_cell(user.name), quote_cell(label), place);
    return static_cast<std::int32_t>(found);
  }

  std::string train_path_, test_path_;
  LeafUsers train_, test_;
  std::array<std::vector<SampleAt>, 2> samples_;  // [training, test]; drawn ones are of train_
  std::array<std::size_t, 3> sample_shape_{1, 1, 1};
  ClassLabels classes_;
  std::vector<std::string> class_names_, warnings_;
};

bool has_json(const std::filesystem::path& directory) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name[0] != '.' && (name.ends_with(".json") || name.ends_with(".json.gz"))) return true;
  }
  return false;
}

// A .json file, a directory of them, or the directory with LEAF's train and test in it.
std::optional<Recognised> recognise_leaf(const std::string& path, const RecognitionHints&) {
  namespace fs = std::filesystem;
  Recognised found = recognised_as("LEAF's JSON");
  scenario::Leaf& leaf = *found.data->mutable_leaf();
  const fs::path train = fs::path(path) / "train", test = fs::path(path) / "test";
  if (fs::is_directory(train) && has_json(train)) {
    leaf.set_train(train.string());
    if (fs::is_directory(test) && has_json(test)) leaf.set_test(test.string());
  } else if (path.ends_with(".json") || path.ends_with(".json.gz") || (fs::is_directory(path) && has_json(path))) {
    leaf.set_train(path);
  } else {
    return std::nullopt;
  }
  found.remarks.push_back("users are natural groups: partition { natural {} } makes each a client");
  return found;
}

const RegisterRecogniser leaf_recogniser(40, recognise_leaf);

const RegisterReader<LeafReader, scenario::Leaf> register_leaf_reader;

}  // namespace
}  // namespace souk
