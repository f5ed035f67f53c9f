#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace souk {

/// Costs [rows, columns] of giving a column to a row.
struct AssignmentCosts {
  std::span<const double> values;
  std::size_t rows = 0, columns = 0;
  double of(std::size_t row, std::size_t column) const { return values[row * columns + column]; }
};

/// Of each row the column it gets, so that the sum of the costs is least: the Hungarian method (Kuhn, "The Hungarian
/// Method for the Assignment Problem", 1955), rows^2 columns steps. Where there are more rows than columns, the rows
/// that go without are those whose columns would cost most. Costs are finite.
std::vector<std::optional<std::size_t>> least_assignment(const AssignmentCosts& costs);

}  // namespace souk
