#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/data/text_table.hpp"

namespace souk {

/// A row of one of a data set's tables.
struct RowAt {
  const TextTable* table;
  std::size_t row;
  std::string_view cell(std::size_t column) const { return table->cell(row, column); }
  /// Throws InputError "FILE: line L: column "NAME": REASON".
  [[noreturn]] void fail(std::size_t column, const std::string& reason) const;
};

/// How one column of a table becomes features.
struct FeatureColumn {
  std::size_t column = 0;
  bool numeric = true;
  double mean = 0.0;                         ///< numeric: of the training rows, stands in for missing cells
  std::vector<std::string_view> categories;  ///< otherwise: of the training rows, ascending; one feature each
  std::string warning;                       ///< a sentence for the user; empty: nothing odd
  std::size_t width() const { return numeric ? 1 : categories.size(); }
};

/// What a column of `table` is. A column of numbers alone is numeric, every other one categorical: it is refused where
/// it is numbers but for a few cells, or has so many different texts that they can hardly be categories. `declared`:
/// the user says that it is categorical, so that nothing is refused. `training`: the training rows.
FeatureColumn fit_column(const TextTable& table, std::span<const RowAt> training, std::size_t column, bool declared);

/// Whether so many different texts in so many cells are names or sentences rather than categories.
bool hardly_categories(std::size_t texts, std::size_t cells);

/// Whether a cell would be a number without its commas.
bool is_number_with_comma(std::string_view cell);

/// Writes the features of a cell into out [width]. Throws InputError for a cell of a numeric column that is neither
/// missing nor a number of float32's range.
void write_cell(const RowAt& row, const FeatureColumn& column, std::span<float> out);

/// A cell as messages quote it: in quotes, cut off where it is long.
std::string quote_cell(std::string_view cell);

}  // namespace souk
