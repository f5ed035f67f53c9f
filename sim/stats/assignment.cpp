#include "sim/stats/assignment.hpp"

#include <limits>
#include <utility>

namespace souk {
namespace {

/// Of no more rows than columns, each row's column. Rows enter one after the other; each along the cheapest path by
/// which those that are there make room for it. Numbers of rows and columns are from 1 here; 0 is none.
std::vector<std::size_t> assigned(const AssignmentCosts& costs, bool turned) {
  const std::size_t rows = turned ? costs.columns : costs.rows, columns = turned ? costs.rows : costs.columns;
  const auto cost = [&](std::size_t row, std::size_t column) {
    return turned ? costs.of(column - 1, row - 1) : costs.of(row - 1, column - 1);
  };
  std::vector<double> row_price(rows + 1, 0.0), column_price(columns + 1, 0.0);
  std::vector<std::size_t> row_of(columns + 1, 0), before(columns + 1, 0);
  for (std::size_t row = 1; row <= rows; ++row) {
    row_of[0] = row;
    std::size_t column = 0;
    std::vector<double> least(columns + 1, std::numeric_limits<double>::infinity());
    std::vector<bool> visited(columns + 1, false);
    do {
      visited[column] = true;
      const std::size_t from = row_of[column];
      double delta = std::numeric_limits<double>::infinity();
      std::size_t next = 0;
      for (std::size_t c = 1; c <= columns; ++c) {
        if (visited[c]) continue;
        const double reduced = cost(from, c) - row_price[from] - column_price[c];
        if (reduced < least[c]) {
          least[c] = reduced;
          before[c] = column;
        }
        if (least[c] < delta) {
          delta = least[c];
          next = c;
        }
      }
      for (std::size_t c = 0; c <= columns; ++c) {
        if (visited[c]) {
          row_price[row_of[c]] += delta;
          column_price[c] -= delta;
        } else {
          least[c] -= delta;
        }
      }
      column = next;
    } while (row_of[column] != 0);
    for (; column != 0; column = before[column]) row_of[column] = row_of[before[column]];
  }
  std::vector<std::size_t> column_of(rows, 0);
  for (std::size_t c = 1; c <= columns; ++c) {
    if (row_of[c] != 0) column_of[row_of[c] - 1] = c - 1;
  }
  return column_of;
}

}  // namespace

std::vector<std::optional<std::size_t>> least_assignment(const AssignmentCosts& costs) {
  std::vector<std::optional<std::size_t>> columns(costs.rows);
  if (costs.rows == 0 || costs.columns == 0) return columns;
  const bool turned = costs.rows > costs.columns;
  const std::vector<std::size_t> found = assigned(costs, turned);
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (turned) {
      columns[found[i]] = i;
    } else {
      columns[i] = found[i];
    }
  }
  return columns;
}

}  // namespace souk
