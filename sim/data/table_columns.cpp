#include "sim/data/table_columns.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

// A column is taken for one of numbers with slips where at least so many of its cells are numbers, or where its numbers
// have so many values that they measure something: UCI's "doors" (2, 3, 4, 5more) is categorical.
constexpr double numbers_share = 0.9;
constexpr std::size_t number_values_max = 20;
// More texts than that are names or sentences rather than categories, and so are those of which most occur once.
constexpr std::size_t categories_max = 1000, unique_texts_max = 20;

/// What the cells of a column are.
struct CellCounts {
  std::size_t numbers = 0, others = 0;
  std::size_t first_other = 0;         ///< row
  std::set<double> values;             ///< of the numbers, as far as they matter
  std::size_t numbers_with_comma = 0;  ///< others that would be numbers without their commas
};

CellCounts count_cells(const TextTable& table, std::size_t column) {
  CellCounts counts;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const std::string_view cell = table.cell(row, column);
    if (is_missing(cell)) continue;
    if (const auto number = parse_number(cell)) {
      ++counts.numbers;
      if (counts.values.size() <= number_values_max) counts.values.insert(*number);
      continue;
    }
    if (counts.others++ == 0) counts.first_other = row;
    counts.numbers_with_comma += is_number_with_comma(cell);
  }
  return counts;
}

bool is_number_column_with_slips(const CellCounts& counts) {
  const std::size_t cells = counts.numbers + counts.others;
  if (counts.others == 0) return false;
  if (counts.numbers_with_comma == counts.others) return true;
  return static_cast<double>(counts.numbers) >= numbers_share * static_cast<double>(cells) ||
         counts.values.size() > number_values_max;
}

std::string comma_hint(const CellCounts& counts) {
  if (counts.numbers_with_comma == 0) return "";
  return "; numbers have a decimal point and no commas";
}

void require_no_slips(const TextTable& table, std::size_t column, const CellCounts& counts) {
  if (!is_number_column_with_slips(counts)) return;
  const RowAt row{&table, counts.first_other};
  row.fail(
      column,
      fmt::format("{} is not a finite number, though {} of the column's {} cells are{}; mend the cell, "
                  "leave it empty if its value is missing, or name the column in task.data.csv.categorical "
                  "or ignore",
                  quote_cell(row.cell(column)), counts.numbers, counts.numbers + counts.others, comma_hint(counts)));
}

std::vector<std::string_view> categories_of(std::span<const RowAt> rows, std::size_t column) {
  std::vector<std::string_view> values;
  for (const RowAt& row : rows) {
    if (!is_missing(row.cell(column))) values.push_back(row.cell(column));
  }
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

void require_categories(const TextTable& table, const FeatureColumn& fitted, const CellCounts& counts) {
  const std::size_t categories = fitted.categories.size();
  if (!hardly_categories(categories, counts.others)) return;
  const RowAt row{&table, counts.first_other};
  row.fail(fitted.column, fmt::format("{} is one of {} different texts in {} rows, too many for categories: name the "
                                      "column in task.data.csv.ignore, or in categorical to have a feature for each; "
                                      "texts to be classified are read by task.data.lines",
                                      quote_cell(row.cell(fitted.column)), categories, table.rows()));
}

double mean_of_column(std::span<const RowAt> rows, std::size_t column) {
  std::size_t present = 0;
  double sum = 0.0;
  for (const RowAt& row : rows) {
    if (is_missing(row.cell(column))) continue;
    ++present;
    sum += *parse_number(row.cell(column));
  }
  return present > 0 ? sum / static_cast<double>(present) : 0.0;
}

}  // namespace

void RowAt::fail(std::size_t column, const std::string& reason) const {
  throw_input_error("{}: line {}: column \"{}\": {}", table->path(), table->line(row), table->names()[column], reason);
}

bool is_number_with_comma(std::string_view cell) {
  if (cell.find(',') == std::string_view::npos) return false;
  std::string without(cell);
  std::erase(without, ',');
  return parse_number(without).has_value();
}

bool hardly_categories(std::size_t texts, std::size_t cells) {
  return texts > categories_max || (texts > unique_texts_max && 2 * texts > cells);
}

FeatureColumn fit_column(const TextTable& table, std::span<const RowAt> training, std::size_t column, bool declared) {
  FeatureColumn fitted{column, !declared, 0.0, {}, {}};
  if (declared) {
    fitted.categories = categories_of(training, column);
    return fitted;
  }
  const CellCounts counts = count_cells(table, column);
  require_no_slips(table, column, counts);
  fitted.numeric = counts.others == 0;
  if (fitted.numeric) {
    fitted.mean = mean_of_column(training, column);
    return fitted;
  }
  fitted.categories = categories_of(training, column);
  require_categories(table, fitted, counts);
  if (counts.numbers > 0) {
    const RowAt row{&table, counts.first_other};
    fitted.warning =
        fmt::format("{}: column \"{}\" is taken as categorical: line {} has {}, though {} of its {} cells are numbers",
                    table.path(), table.names()[column], table.line(row.row), quote_cell(row.cell(column)),
                    counts.numbers, counts.numbers + counts.others);
  }
  return fitted;
}

void write_cell(const RowAt& row, const FeatureColumn& column, std::span<float> out) {
  const std::string_view cell = row.cell(column.column);
  if (column.numeric) {
    const auto value = is_missing(cell) ? std::optional(column.mean) : parse_number(cell);
    const bool fits = value && std::abs(*value) <= static_cast<double>(std::numeric_limits<float>::max());
    if (!fits) row.fail(column.column, fmt::format("{} is not a number that fits float32", quote_cell(cell)));
    out[0] = static_cast<float>(*value);
    return;
  }
  std::ranges::fill(out, 0.0F);
  const auto found = std::ranges::lower_bound(column.categories, cell);
  const bool known = found != column.categories.end() && *found == cell;
  if (known) out[static_cast<std::size_t>(found - column.categories.begin())] = 1.0F;
}

std::string quote_cell(std::string_view cell) {
  constexpr std::size_t longest = 60;
  const bool cut = cell.size() > longest;
  return fmt::format("\"{}{}\"", cell.substr(0, longest), cut ? "…" : "");
}

}  // namespace souk
