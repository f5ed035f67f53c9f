#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "scenarios/data.pb.h"
#include "sim/base/contract.hpp"
#include "sim/data/dataset_format.hpp"
#include "sim/data/test_rows.hpp"
#include "sim/data/text_table.hpp"

namespace souk {
namespace {

constexpr std::size_t features_max = 65536;
constexpr std::size_t classes_max = 65536;

// A row of one of the tables.
struct RowAt {
  const TextTable* table;
  std::size_t row;
  std::string_view cell(std::size_t column) const { return table->cell(row, column); }
  [[noreturn]] void fail(std::size_t column, const std::string& reason) const {
    throw_input_error("{}: line {}: column \"{}\": {}", table->path(), table->line(row), table->names()[column],
                      reason);
  }
};

// How one column becomes features.
struct FeatureColumn {
  std::size_t column = 0;
  bool numeric = true;
  double mean = 0.0;                         // numeric: of the training rows, stands in for missing cells
  std::vector<std::string_view> categories;  // otherwise: of the training rows, ascending; one feature each
  std::size_t width() const { return numeric ? 1 : categories.size(); }
};

std::vector<std::string_view> distinct_cells(const std::vector<RowAt>& rows, std::size_t column) {
  std::vector<std::string_view> values;
  for (const RowAt& row : rows) values.push_back(row.cell(column));
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

// A table as a data set: each numeric column one float feature, each categorical column one 0/1 feature per category.
// With STANDARD scaling every feature, one-hot ones too, is brought to zero mean and unit variance: rare categories
// then weigh as much as common ones. UNIT and RAW leave one-hot features 0 and 1.
class CsvReader final : public DatasetReader {
 public:
  CsvReader(const scenario::Csv& config, const ReaderContext& context) : config_(config) {
    SOUK_REQUIRE(config.separator().size() == 1, "data.csv.separator = \"{}\": must be one character",
                 config.separator());
    SOUK_REQUIRE(!config.train().empty(), "data.csv.train is empty: it must name the training table");
    const char separator = config.separator()[0];
    train_ = std::make_unique<TextTable>(expand_environment(config.train()), separator, config.header());
    all_training_rows();
    if (config.test().empty()) {
      split_training_rows(context.seed);
    } else {
      test_ = std::make_unique<TextTable>(expand_environment(config.test()), separator, config.header());
      SOUK_REQUIRE(test_->names() == train_->names(), "{}: its columns differ from those of {}", test_->path(),
                   train_->path());
      for (std::size_t row = 0; row < test_->rows(); ++row) rows_[1].push_back({test_.get(), row});
    }
    choose_columns();
    find_classes();
    find_groups();
  }

  DatasetShape shape(Split split) override {
    DatasetShape shape;
    shape.samples = rows(split).size();
    shape.sample_shape = {width_, 1, 1};
    shape.element = Element::f32;
    shape.class_names = class_names_;
    shape.groups = split == Split::train ? groups_.size() : 0;
    return shape;
  }

  void read(Split split, RowRange wanted, const DatasetBuffers& out) override {
    const std::size_t n = wanted.end - wanted.begin;
    SOUK_EXPECT(wanted.begin <= wanted.end && wanted.end <= rows(split).size());
    SOUK_EXPECT(out.labels.size() == n && out.f32.size() == n * width_);
    for (std::size_t i = 0; i < n; ++i) {
      const RowAt& row = rows(split)[wanted.begin + i];
      write_features(row, out.f32.subspan(i * width_, width_));
      out.labels[i] = label_of(row);
      if (split == Split::train && !groups_.empty()) out.groups[i] = groups_.at(row.cell(group_column_));
    }
  }

 private:
  const std::vector<RowAt>& rows(Split split) const { return rows_[split == Split::train ? 0 : 1]; }

  void all_training_rows() {
    SOUK_REQUIRE(train_->rows() <= std::numeric_limits<std::uint32_t>::max(), "{}: {} rows are too many",
                 train_->path(), train_->rows());
    for (std::size_t row = 0; row < train_->rows(); ++row) rows_[0].push_back({train_.get(), row});
  }

  void split_training_rows(std::uint64_t seed) {
    const std::vector<RowAt> all = std::move(rows_[0]);
    rows_[0].clear();
    SOUK_REQUIRE(all.size() >= 2, "{}: {} row cannot be split into training and test rows", train_->path(), all.size());
    const std::vector<bool> is_test = draw_test_rows(all.size(), config_.test_fraction(), seed);
    for (std::size_t i = 0; i < all.size(); ++i) rows_[is_test[i] ? 1 : 0].push_back(all[i]);
  }

  std::size_t find_column(const std::string& name, const char* field) const {
    const auto& names = train_->names();
    const auto found = std::find(names.begin(), names.end(), name);
    SOUK_REQUIRE(found != names.end(), "data.csv.{} = \"{}\": {} has no such column; it has: {}", field, name,
                 train_->path(), fmt::format("{}", fmt::join(names, ", ")));
    return static_cast<std::size_t>(found - names.begin());
  }

  void choose_columns() {
    label_column_ = config_.label().empty() ? train_->columns() - 1 : find_column(config_.label(), "label");
    std::vector<bool> is_feature(train_->columns(), true), is_categorical(train_->columns());
    is_feature[label_column_] = false;
    if (!config_.group().empty()) is_feature[group_column_ = find_column(config_.group(), "group")] = false;
    for (const std::string& name : config_.ignore()) is_feature[find_column(name, "ignore")] = false;
    for (const std::string& name : config_.categorical()) is_categorical[find_column(name, "categorical")] = true;
    for (std::size_t c = 0; c < train_->columns(); ++c) {
      if (!is_feature[c]) continue;
      columns_.push_back(fit_column(c, is_categorical[c]));
      width_ += columns_.back().width();
      SOUK_REQUIRE(width_ <= features_max,
                   "{}: column \"{}\" has {} different values; with it a row has more than {} features: put it into "
                   "data.csv.ignore",
                   train_->path(), train_->names()[c], columns_.back().width(), features_max);
    }
    SOUK_REQUIRE(width_ > 0, "{}: no column is left as a feature", train_->path());
  }

  FeatureColumn fit_column(std::size_t column, bool categorical) const {
    FeatureColumn fitted{column, !categorical, 0.0, {}};
    for (std::size_t row = 0; row < train_->rows() && fitted.numeric; ++row) {
      const std::string_view cell = train_->cell(row, column);
      fitted.numeric = is_missing(cell) || parse_number(cell).has_value();
    }
    if (!fitted.numeric) {
      fitted.categories = distinct_cells(rows_[0], column);
      std::erase_if(fitted.categories, is_missing);
      return fitted;
    }
    std::size_t present = 0;
    for (const RowAt& row : rows_[0]) {
      if (is_missing(row.cell(column))) continue;
      ++present;
      fitted.mean += *parse_number(row.cell(column));
    }
    if (present > 0) fitted.mean /= static_cast<double>(present);
    return fitted;
  }

  // Classes in ascending order: by value if all are numbers, by text otherwise.
  void find_classes() {
    for (const RowAt& row : rows_[0]) {
      if (is_missing(row.cell(label_column_))) row.fail(label_column_, "the label is missing");
    }
    auto names = distinct_cells(rows_[0], label_column_);
    SOUK_REQUIRE(names.size() <= classes_max, "{}: label column \"{}\" has {} different values, must be at most {}",
                 train_->path(), train_->names()[label_column_], names.size(), classes_max);
    if (std::all_of(names.begin(), names.end(), [](auto name) { return parse_number(name).has_value(); })) {
      std::stable_sort(names.begin(), names.end(), [](auto a, auto b) { return *parse_number(a) < *parse_number(b); });
    }
    for (std::size_t c = 0; c < names.size(); ++c) classes_[names[c]] = static_cast<std::int32_t>(c);
    class_names_.assign(names.begin(), names.end());
  }

  void find_groups() {
    if (config_.group().empty()) return;
    for (const std::string_view name : distinct_cells(rows_[0], group_column_)) {
      groups_.emplace(name, static_cast<std::uint32_t>(groups_.size()));
    }
  }

  std::int32_t label_of(const RowAt& row) const {
    std::string_view cell = row.cell(label_column_);
    auto found = classes_.find(cell);
    // C4.5 files may end a case with a full stop, as Adult's test table does and its training table does not.
    if (found == classes_.end() && cell.ends_with('.')) {
      cell.remove_suffix(1);
      found = classes_.find(cell);
    }
    if (found == classes_.end()) {
      constexpr std::size_t quoted_max = 60;  // the "label" may be a whole text, if the wrong column was chosen
      const bool cut = cell.size() > quoted_max;
      row.fail(label_column_,
               fmt::format("label \"{}{}\" is in no training row", cell.substr(0, quoted_max), cut ? "…" : ""));
    }
    return found->second;
  }

  void write_features(const RowAt& row, std::span<float> out) const {
    std::fill(out.begin(), out.end(), 0.0f);
    std::size_t at = 0;
    for (const FeatureColumn& column : columns_) {
      const std::string_view cell = row.cell(column.column);
      if (column.numeric) {
        const auto value = is_missing(cell) ? std::optional(column.mean) : parse_number(cell);
        const bool fits = value && std::abs(*value) <= static_cast<double>(std::numeric_limits<float>::max());
        if (!fits) row.fail(column.column, fmt::format("\"{}\" is not a number that fits float32", cell));
        out[at] = static_cast<float>(*value);
      } else {
        const auto found = std::lower_bound(column.categories.begin(), column.categories.end(), cell);
        const bool known = found != column.categories.end() && *found == cell;
        if (known) out[at + static_cast<std::size_t>(found - column.categories.begin())] = 1.0f;
      }
      at += column.width();
    }
  }

  scenario::Csv config_;
  std::unique_ptr<TextTable> train_, test_;
  std::vector<RowAt> rows_[2];  // training, test
  std::size_t label_column_ = 0, group_column_ = 0;
  std::vector<FeatureColumn> columns_;
  std::size_t width_ = 0;
  std::vector<std::string> class_names_;
  std::map<std::string_view, std::int32_t> classes_;
  std::map<std::string_view, std::uint32_t> groups_;
};

const RegisterReader<CsvReader, scenario::Csv> registered;

}  // namespace
}  // namespace souk
