#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/data/dataset_format.hpp"
#include "sim/data/test_rows.hpp"
#include "sim/data/text_reader.hpp"
#include "sim/data/text_table.hpp"

namespace souk {
namespace {

constexpr double class_max = 65536;

// A news file in memory: a table of class number and texts. A first row without a class number is its header.
class NewsTable {
 public:
  explicit NewsTable(const std::string& path) : table_(expand_environment(path), ',', false) {
    SOUK_REQUIRE(table_.columns() >= 2, "{}: line {}: has no column of text beside the class", table_.path(),
                 table_.line(0));
    first_ = parse_number(table_.cell(0, 0)) ? 0 : 1;
    for (std::size_t row = first_; row < table_.rows(); ++row) {
      labels_.push_back(class_of(row));
      std::string& text = texts_.emplace_back();
      for (std::size_t c = 1; c < table_.columns(); ++c) text.append(table_.cell(row, c)).push_back(' ');
    }
    SOUK_REQUIRE(!labels_.empty(), "{}: has no row beside its header", table_.path());
  }

  std::size_t rows() const { return labels_.size(); }
  std::int32_t classes() const { return *std::max_element(labels_.begin(), labels_.end()) + 1; }

  // Fails for a class beyond those of the training file.
  void check_classes(std::int32_t classes) const {
    for (std::size_t i = 0; i < rows(); ++i) {
      SOUK_REQUIRE(labels_[i] < classes, "{}: line {}: class {} is in no row of the training file, which has {}",
                   table_.path(), table_.line(first_ + i), labels_[i] + 1, classes);
    }
  }

  // The rows for which `takes` is `value`; all where nothing is to be told apart.
  LabelledTexts rows_where(const std::vector<bool>& takes, bool value) const {
    LabelledTexts result;
    for (std::size_t i = 0; i < rows(); ++i) {
      if (!takes.empty() && takes[i] != value) continue;
      result.texts.emplace_back(texts_[i]);
      result.labels.push_back(labels_[i]);
    }
    return result;
  }
  LabelledTexts all() const { return rows_where({}, true); }
  const std::string& path() const { return table_.path(); }

 private:
  std::int32_t class_of(std::size_t row) const {
    const auto number = parse_number(table_.cell(row, 0));
    const bool whole = number && *number >= 1 && *number <= class_max && *number == static_cast<std::int32_t>(*number);
    SOUK_REQUIRE(whole, "{}: line {}: class \"{}\": must be a whole number from 1 to {:.0f}", table_.path(),
                 table_.line(row), table_.cell(row, 0).substr(0, 60), class_max);
    return static_cast<std::int32_t>(*number) - 1;
  }

  TextTable table_;
  std::size_t first_ = 0;  // row of the table
  std::vector<std::int32_t> labels_;
  std::vector<std::string> texts_;
};

// News in the format of Zhang, Zhao, LeCun. Classes are named by their numbers: the file holds no other names.
class AgNewsReader final : public TextReader {
 public:
  AgNewsReader(const scenario::AgNews& config, const ReaderContext& context)
      : TextReader(config.text()), train_(checked(config).train()) {
    std::vector<std::string> class_names;
    for (std::int32_t c = 1; c <= train_.classes(); ++c) class_names.push_back(std::to_string(c));
    if (!config.test().empty()) {
      test_.emplace(config.test());
      test_->check_classes(train_.classes());
      number_words(train_.all(), test_->all(), std::move(class_names));
      return;
    }
    SOUK_REQUIRE(train_.rows() >= 2, "{}: one row cannot be split into training and test rows", train_.path());
    const std::vector<bool> is_test = draw_test_rows(train_.rows(), config.test_fraction(), context.seed);
    number_words(train_.rows_where(is_test, false), train_.rows_where(is_test, true), std::move(class_names));
  }

 private:
  static const scenario::AgNews& checked(const scenario::AgNews& config) {
    SOUK_REQUIRE(!config.train().empty(), "task.data.ag_news.train: is empty, must name the training file");
    return config;
  }

  NewsTable train_;
  std::optional<NewsTable> test_;
};

const RegisterReader<AgNewsReader, scenario::AgNews> registered;

}  // namespace
}  // namespace souk
