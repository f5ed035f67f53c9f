#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "sim/data/dataset.hpp"

namespace souk::scenario {
class TabularCondition;
}

namespace souk {

/// A feature and what it is to be.
struct TableCell {
  std::size_t feature = 0;
  float value = 0.0F;  ///< as stored
};

/// What a condition is about: one feature, or all those of a column of categories, of a table with these columns
/// (empty: they have no names) and so many features. Throws InputError where it has no such column or value; `place`:
/// of the message.
std::vector<TableCell> table_cells(const scenario::TabularCondition& condition, std::span<const TableColumn> columns,
                                   std::size_t features, const std::string& place);

/// How the condition names its column: "column = 3".
std::string condition_column(const scenario::TabularCondition& condition);

}  // namespace souk
