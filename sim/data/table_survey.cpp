#include "sim/data/table_survey.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "sim/base/contract.hpp"
#include "sim/data/table_columns.hpp"
#include "sim/data/words.hpp"

namespace souk {
namespace {

constexpr std::size_t examples_max = 3, listed_max = 12, surveyed_classes_max = 1000, listed_values_max = 100;

ColumnSurvey survey_column(const TextTable& table, std::size_t column) {
  ColumnSurvey found;
  found.name = table.names()[column];
  std::vector<std::string_view> values;
  std::size_t words = 0;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const std::string_view cell = table.cell(row, column);
    if (is_missing(cell)) continue;
    found.numbers = found.numbers && parse_number(cell).has_value();
    found.words = found.words && !parse_number(cell) && !is_number_with_comma(cell);
    words += count_words(cell);
    values.push_back(cell);
  }
  found.cells = values.size();
  found.length = found.cells > 0 ? static_cast<double>(words) / static_cast<double>(found.cells) : 0.0;
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  found.values = values.size();
  for (std::size_t i = 0; i < std::min(values.size(), examples_max); ++i)
    found.examples.emplace_back(values[i].substr(0, 40));
  return found;
}

bool may_be_class(const ColumnSurvey& column, std::size_t rows) {
  return column.values >= 2 && column.values <= std::min(surveyed_classes_max, std::max<std::size_t>(2, rows / 2));
}

bool is_class_name(std::string name) {
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  constexpr std::array<std::string_view, 8> names{"label",    "labels", "class",     "target",
                                                  "category", "y",      "sentiment", "species"};
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

std::vector<ColumnSurvey> survey(const TextTable& table) {
  std::vector<ColumnSurvey> columns;
  for (std::size_t c = 0; c < table.columns(); ++c) columns.push_back(survey_column(table, c));
  return columns;
}

std::optional<LabelChoice> choose_label(const std::vector<ColumnSurvey>& columns, std::size_t rows,
                                        const std::string& wanted, const std::string& path) {
  if (!wanted.empty()) {
    const auto found = std::ranges::find(columns, wanted, &ColumnSurvey::name);
    SOUK_REQUIRE(found != columns.end(), "--label {}: {} has no such column; it has: {}", wanted, path,
                 list_columns(columns));
    return LabelChoice{static_cast<std::size_t>(found - columns.begin()), "as --label says"};
  }
  const std::size_t last = columns.size() - 1;
  std::vector<std::size_t> of_words;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (!may_be_class(columns[c], rows)) continue;
    if (is_class_name(columns[c].name)) return LabelChoice{c, "by its name"};
    if (columns[c].words) of_words.push_back(c);
  }
  if (!of_words.empty() && of_words.back() == last) return LabelChoice{last, "the last column, and of words"};
  if (may_be_class(columns[last], rows) && columns[last].values == 2) {
    return LabelChoice{last, "the last column, and of two values"};
  }
  if (of_words.size() == 1) return LabelChoice{of_words[0], "the only column of words"};
  if (may_be_class(columns[last], rows)) return LabelChoice{last, "the last column"};
  if (may_be_class(columns[0], rows)) return LabelChoice{0, "the first column"};
  return std::nullopt;
}

std::vector<std::string> remarks_on(const LabelChoice& choice, const std::vector<ColumnSurvey>& columns,
                                    std::size_t rows) {
  const ColumnSurvey& taken = columns[choice.column];
  std::vector<std::string> remarks{fmt::format(
      "the class is column \"{}\" with {} values ({}{}): {}; --label COLUMN takes another", taken.name, taken.values,
      fmt::join(taken.examples, ", "), taken.values > taken.examples.size() ? ", …" : "", choice.reason)};
  std::vector<ColumnSurvey> others;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const bool few = may_be_class(columns[c], rows) && columns[c].values <= listed_values_max;
    if (c != choice.column && few) others.push_back(columns[c]);
  }
  if (!others.empty()) remarks.push_back("other columns with few values: " + list_columns(others));
  return remarks;
}

std::string list_columns(const std::vector<ColumnSurvey>& columns) {
  std::vector<std::string> listed;
  for (std::size_t c = 0; c < std::min(columns.size(), listed_max); ++c) {
    listed.push_back(fmt::format("{} ({} values)", columns[c].name, columns[c].values));
  }
  return fmt::format("{}{}", fmt::join(listed, ", "), columns.size() > listed_max ? ", …" : "");
}

}  // namespace souk
