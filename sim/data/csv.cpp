#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/data/class_labels.hpp"
#include "sim/data/class_limit.hpp"
#include "sim/data/data_path.hpp"
#include "sim/data/dataset_format.hpp"
#include "sim/data/recognition.hpp"
#include "sim/data/table_columns.hpp"
#include "sim/data/table_survey.hpp"
#include "sim/data/test_rows.hpp"
#include "sim/data/text_table.hpp"

namespace souk {
namespace {

constexpr std::size_t features_max = 65536;

// A table as a data set: each numeric column one float feature, each categorical column one 0/1 feature per category.
// With STANDARD scaling every feature, one-hot ones too, is brought to zero mean and unit variance: rare categories
// then weigh as much as common ones. UNIT and RAW leave one-hot features 0 and 1.
class CsvReader final : public DatasetReader {
 public:
  CsvReader(const scenario::Csv& config, const ReaderContext& context) : config_(config) {
    SOUK_REQUIRE(config.separator().size() == 1, "task.data.csv.separator = \"{}\": must be one character",
                 config.separator());
    train_ = open_table("train", config.train());
    SOUK_REQUIRE(train_->rows() <= std::numeric_limits<std::uint32_t>::max(), "{}: {} rows are too many",
                 train_->path(), train_->rows());
    label_column_ = config.label().empty() ? train_->columns() - 1 : find_column(config.label(), "label");
    if (config.regression()) {
      check_numbers(*train_);
    } else {
      find_classes();
    }
    if (config.test().empty()) {
      split_training_rows(config.split_seed() > 0 ? config.split_seed() : context.seed);
    } else {
      rows_[0] = all_rows(*train_);
      test_ = open_table("test", config.test());
      SOUK_REQUIRE(test_->names() == train_->names(), "{}: its columns differ from those of {}", test_->path(),
                   train_->path());
      rows_[1] = all_rows(*test_);
      if (config.regression()) check_numbers(*test_);
    }
    choose_columns();
    find_groups();
  }

  DatasetShape shape(Split split) override {
    DatasetShape shape;
    shape.samples = rows(split).size();
    shape.sample_shape = {width_, 1, 1};
    shape.element = Element::f32;
    shape.numbers = config_.regression();
    shape.class_names = classes_.names();
    shape.groups = split == Split::train ? groups_.size() : 0;
    shape.columns = columns_of_features();
    return shape;
  }

  void read(Split split, RowRange wanted, const DatasetBuffers& out) override {
    const std::size_t n = wanted.end - wanted.begin;
    SOUK_EXPECT(wanted.begin <= wanted.end && wanted.end <= rows(split).size());
    SOUK_EXPECT(out.labels.size() + out.numbers.size() == n && out.f32.size() == n * width_);
    for (std::size_t i = 0; i < n; ++i) {
      const RowAt& row = rows(split)[wanted.begin + i];
      write_features(row, out.f32.subspan(i * width_, width_));
      if (config_.regression()) {
        out.numbers[i] = number_of(row);
      } else {
        out.labels[i] = label_of(row);
      }
      if (split == Split::train && !groups_.empty()) out.groups[i] = groups_.at(row.cell(group_column_));
    }
  }

  std::vector<std::string> warnings() const override { return warnings_; }

 private:
  const std::vector<RowAt>& rows(Split split) const { return rows_[split == Split::train ? 0 : 1]; }

  std::unique_ptr<TextTable> open_table(const char* field, const std::string& path) const {
    return std::make_unique<TextTable>(data_path(fmt::format("task.data.csv.{}", field), path), config_.separator()[0],
                                       config_.header());
  }

  static std::vector<RowAt> all_rows(const TextTable& table) {
    std::vector<RowAt> rows;
    for (std::size_t row = 0; row < table.rows(); ++row) rows.push_back({&table, row});
    return rows;
  }

  void split_training_rows(std::uint64_t seed) {
    std::vector<std::int32_t> labels;
    // Without classes all rows are of one kind.
    for (const RowAt& row : all_rows(*train_)) labels.push_back(config_.regression() ? 0 : label_of(row));
    const std::vector<bool> is_test = draw_test_rows(labels, config_.test_fraction(), seed, train_->path());
    for (std::size_t i = 0; i < labels.size(); ++i) rows_[is_test[i] ? 1 : 0].push_back({train_.get(), i});
  }

  std::size_t find_column(const std::string& name, const char* field) const {
    const auto& names = train_->names();
    const auto found = std::find(names.begin(), names.end(), name);
    SOUK_REQUIRE(found != names.end(), "task.data.csv.{} = \"{}\": {} has no such column; it has: {}", field, name,
                 train_->path(), fmt::format("{}", fmt::join(names, ", ")));
    return static_cast<std::size_t>(found - names.begin());
  }

  void choose_columns() {
    std::vector<bool> is_feature(train_->columns(), true), is_categorical(train_->columns());
    is_feature[label_column_] = false;
    if (!config_.group().empty()) is_feature[group_column_ = find_column(config_.group(), "group")] = false;
    for (const std::string& name : config_.ignore()) is_feature[find_column(name, "ignore")] = false;
    for (const std::string& name : config_.categorical()) is_categorical[find_column(name, "categorical")] = true;
    for (std::size_t c = 0; c < train_->columns(); ++c) {
      if (!is_feature[c]) continue;
      columns_.push_back(fit_column(*train_, rows_[0], c, is_categorical[c]));
      if (!columns_.back().warning.empty()) warnings_.push_back(columns_.back().warning);
      width_ += columns_.back().width();
      SOUK_REQUIRE(width_ <= features_max,
                   "{}: column \"{}\" has {} different values; with it a row has more than {} features: put it into "
                   "task.data.csv.ignore",
                   train_->path(), train_->names()[c], columns_.back().width(), features_max);
    }
    SOUK_REQUIRE(width_ > 0,
                 "{}: no column is left as a feature beside that of the label, \"{}\" (task.data.csv.label)",
                 train_->path(), train_->names()[label_column_]);
  }

  std::vector<TableColumn> columns_of_features() const {
    std::vector<TableColumn> result;
    for (const FeatureColumn& column : columns_) {
      TableColumn& described = result.emplace_back();
      described.name = train_->names()[column.column];
      described.number = column.column;
      if (!column.numeric) described.categories.assign(column.categories.begin(), column.categories.end());
    }
    return result;
  }

  void check_numbers(const TextTable& table) const {
    for (const RowAt& row : all_rows(table)) number_of(row);
  }

  float number_of(const RowAt& row) const {
    const std::string_view cell = row.cell(label_column_);
    if (is_missing(cell)) row.fail(label_column_, "the number to predict is missing");
    const std::optional<double> number = parse_number(cell);
    if (!number || !std::isfinite(static_cast<float>(*number))) {
      row.fail(label_column_, fmt::format("{} is no number that could be predicted", quote_cell(cell)));
    }
    return static_cast<float>(*number);
  }

  // Of all rows of the training table, those that are drawn for testing included.
  void find_classes() {
    std::vector<std::string_view> labels;
    for (const RowAt& row : all_rows(*train_)) {
      if (is_blank(row.cell(label_column_))) row.fail(label_column_, "the label is missing");
      labels.push_back(row.cell(label_column_));
    }
    classes_ = ClassLabels(labels);
    const auto& names = classes_.names();
    SOUK_REQUIRE(names.size() <= classes_max, "{}: label column \"{}\" has {} different values, must be at most {}",
                 train_->path(), train_->names()[label_column_], names.size(), classes_max);
    refuse_missing_among_numbers();
    if (hardly_categories(names.size(), train_->rows())) {
      warnings_.push_back(fmt::format("{}: column \"{}\" has {} different labels in {} rows: does it hold classes?",
                                      train_->path(), train_->names()[label_column_], names.size(), train_->rows()));
    }
    if (const std::string gaps = gaps_between(names); !gaps.empty()) {
      warnings_.push_back(fmt::format("{}: {}", train_->path(), gaps));
    }
  }

  // "NA" among words may be a class; among numbers it is a label that is missing.
  void refuse_missing_among_numbers() {
    const auto& names = classes_.names();
    const auto missing = std::ranges::find_if(names, [](const std::string& name) { return is_missing(name); });
    if (missing == names.end()) return;
    const bool others_are_numbers = std::ranges::all_of(
        names, [](const std::string& name) { return is_missing(name) || parse_number(name).has_value(); });
    for (const RowAt& row : all_rows(*train_)) {
      const std::string_view cell = row.cell(label_column_);
      if (others_are_numbers && is_missing(cell))
        row.fail(label_column_, fmt::format("the label is missing: {}", quote_cell(cell)));
    }
    warnings_.push_back(fmt::format("{}: column \"{}\": \"{}\" is taken as the name of a class, not as a missing label",
                                    train_->path(), train_->names()[label_column_], *missing));
  }

  void find_groups() {
    if (config_.group().empty()) return;
    std::map<std::string_view, std::uint32_t> rows_of;
    for (const RowAt& row : rows_[0]) {
      const std::string_view name = row.cell(group_column_);
      if (is_blank(name)) {
        row.fail(group_column_, "the row belongs to no group: name one, or take the rows without one out of the table");
      }
      ++rows_of[name];
    }
    for (const auto& [name, count] : rows_of) {
      groups_.emplace(name, static_cast<std::uint32_t>(groups_.size()));
      if (!is_missing(name)) continue;
      warnings_.push_back(fmt::format("{}: column \"{}\": \"{}\" is taken as the name of a group, which has {} rows",
                                      train_->path(), train_->names()[group_column_], name, count));
    }
  }

  std::int32_t label_of(const RowAt& row) const {
    const std::string_view cell = row.cell(label_column_);
    if (is_blank(cell)) row.fail(label_column_, "the label is missing");
    auto found = classes_.find(cell);
    // C4.5 files may end a case with a full stop, as Adult's test table does and its training table does not.
    if (!found && cell.ends_with('.')) found = classes_.find(cell.substr(0, cell.size() - 1));
    if (!found) row.fail(label_column_, fmt::format("label {} is in no training row", quote_cell(cell)));
    return *found;
  }

  void write_features(const RowAt& row, std::span<float> out) const {
    std::size_t at = 0;
    for (const FeatureColumn& column : columns_) {
      write_cell(row, column, out.subspan(at, column.width()));
      at += column.width();
    }
  }

  scenario::Csv config_;
  std::unique_ptr<TextTable> train_, test_;
  std::array<std::vector<RowAt>, 2> rows_;  // training, test
  std::size_t label_column_ = 0, group_column_ = 0;
  std::vector<FeatureColumn> columns_;
  std::size_t width_ = 0;
  ClassLabels classes_;
  std::map<std::string_view, std::uint32_t> groups_;
  std::vector<std::string> warnings_;
};

// A table has a header if its first row holds no number although a later row does.
bool guess_header(const TextTable& table) {
  const auto numbers = [&table](std::size_t row) {
    std::size_t count = 0;
    for (std::size_t c = 0; c < table.columns(); ++c) count += parse_number(table.cell(row, c)).has_value();
    return count;
  };
  return table.rows() > 1 && numbers(0) == 0 && numbers(1) > 0;
}

// A tab in .tsv; elsewhere the first of the usual ones that cuts the table into columns.
char guess_separator(const std::string& path) {
  if (has_extension(path, {".tsv"})) return '\t';
  for (const char separator : {',', ';', '\t'}) {
    try {
      if (TextTable(path, separator, false).columns() > 1) return separator;
    } catch (const InputError&) {  // its rows differ in width: try the next
      if (separator == '\t') throw;
    }
  }
  return ',';
}

// A test table beside it, named as UCI's sets name theirs.
std::string test_table_beside(const std::string& path) {
  for (const auto& [train, test] : {std::pair(".data", ".test"), std::pair(".tra", ".tes")}) {
    if (!path.ends_with(train)) continue;
    const std::string beside = path.substr(0, path.size() - std::string(train).size()) + test;
    if (std::filesystem::is_regular_file(beside)) return beside;
  }
  return test_file_beside(path);
}

std::optional<Recognised> recognise_table(const std::string& path, const RecognitionHints& hints) {
  if (!has_extension(path, {".csv", ".tsv", ".data", ".tra", ".txt"})) return std::nullopt;
  Recognised found = recognised_as("table");
  scenario::Csv& csv = *found.data->mutable_csv();
  csv.set_train(path);
  const char separator = guess_separator(path);
  if (separator != ',') csv.set_separator(std::string(1, separator));
  const TextTable bare(path, separator, false);
  SOUK_REQUIRE(bare.columns() > 1, "{}: has one column, where a table has one of the class and others", path);
  const bool header = guess_header(bare);
  if (!header) csv.set_header(false);
  const std::optional<TextTable> named =
      header ? std::optional<TextTable>(std::in_place, path, separator, true) : std::nullopt;
  const TextTable& table = named ? *named : bare;
  const std::vector<ColumnSurvey> columns = survey(table);
  const auto label = choose_label(columns, table.rows(), hints.label, path);
  SOUK_REQUIRE(label.has_value(),
               "{}: none of its columns has few values, so that none can be the class; name one by --label COLUMN; it "
               "has: {}",
               path, list_columns(columns));
  csv.set_label(columns[label->column].name);
  if (const std::string test = test_table_beside(path); !test.empty()) csv.set_test(test);
  found.remarks = remarks_on(*label, columns, table.rows());
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const ColumnSurvey& column = columns[c];
    if (c == label->column || !column.words || !hardly_categories(column.values, column.cells)) continue;
    csv.add_ignore(column.name);
    found.remarks.push_back(
        fmt::format("column \"{}\" has {} different texts and is left out (ignore)", column.name, column.values));
  }
  return found;
}

const RegisterRecogniser table_recogniser(90, recognise_table);

const RegisterReader<CsvReader, scenario::Csv> register_csv_reader;

}  // namespace
}  // namespace souk
