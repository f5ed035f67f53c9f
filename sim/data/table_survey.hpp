#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "sim/data/text_table.hpp"

namespace souk {

/// What a look at a column of a table finds.
struct ColumnSurvey {
  std::string name;
  bool numbers = true;                ///< whether all cells that are not missing are numbers
  bool words = true;                  ///< whether none of them is a number, commas or not
  std::size_t cells = 0;              ///< that are not missing
  std::size_t values = 0;             ///< different ones
  double length = 0.0;                ///< mean number of words in a cell
  std::vector<std::string> examples;  ///< the first few of the values, ascending
};

std::vector<ColumnSurvey> survey(const TextTable& table);

/// A column that may hold the class, and why it was taken.
struct LabelChoice {
  std::size_t column = 0;
  std::string reason;
};

/// The column of the class: `wanted` if it is not empty; otherwise one with such a name, the last or the only column of
/// words, a last one of two values, the last or the first column, as long as it has few values. Throws InputError,
/// naming `path`, where there is no column `wanted`. Nothing where no column has few values.
std::optional<LabelChoice> choose_label(const std::vector<ColumnSurvey>& columns, std::size_t rows,
                                        const std::string& wanted, const std::string& path);

/// Sentences for the user: which column was taken as the class and why, and which others have few values.
std::vector<std::string> remarks_on(const LabelChoice& choice, const std::vector<ColumnSurvey>& columns,
                                    std::size_t rows);

/// "NAME (N values)" of all columns.
std::string list_columns(const std::vector<ColumnSurvey>& columns);

}  // namespace souk
