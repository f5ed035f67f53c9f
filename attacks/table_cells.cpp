#include "attacks/table_cells.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "scenarios/data_attacks.pb.h"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t most = 12;
  const auto shown = std::span(names).first(std::min(names.size(), most));
  return fmt::format("{}{}", fmt::join(shown, ", "), names.size() > most ? ", …" : "");
}

std::vector<TableCell> numeric(const scenario::TabularCondition& condition, std::size_t feature,
                               const std::string& place) {
  SOUK_REQUIRE(condition.category().empty(), "{}.category = \"{}\": the column holds numbers: give a value", place,
               condition.category());
  return {{feature, static_cast<float>(condition.value())}};
}

std::vector<TableCell> categorical(const scenario::TabularCondition& condition, const TableColumn& column,
                                   std::size_t first, const std::string& place) {
  const std::string& wanted = condition.category();
  const auto found = std::ranges::find(column.categories, wanted);
  SOUK_REQUIRE(found != column.categories.end(), "{}.category = \"{}\": column \"{}\" holds the categories {}", place,
               wanted, column.name, listed(column.categories));
  SOUK_REQUIRE(condition.value() == 0.0, "{}.value = {}: column \"{}\" holds categories and no numbers", place,
               condition.value(), column.name);
  std::vector<TableCell> cells;
  for (std::size_t c = 0; c < column.categories.size(); ++c) {
    cells.push_back({first + c, column.categories[c] == wanted ? 1.0F : 0.0F});
  }
  return cells;
}

}  // namespace

std::string condition_column(const scenario::TabularCondition& condition) {
  return condition.name().empty() ? fmt::format("column = {}", condition.column())
                                  : fmt::format("name = \"{}\"", condition.name());
}

std::vector<TableCell> table_cells(const scenario::TabularCondition& condition, std::span<const TableColumn> columns,
                                   std::size_t features, const std::string& place) {
  SOUK_REQUIRE(condition.name().empty() || condition.column() == 0, "{}: names a column by name and by number", place);
  const auto value = static_cast<float>(condition.value());
  SOUK_REQUIRE(std::isfinite(value), "{}.value: is not a finite float32 number", place);
  if (columns.empty()) {
    SOUK_REQUIRE(condition.name().empty() && condition.category().empty(),
                 "{}: the columns of the data set have no names: give a number", place);
    SOUK_REQUIRE(condition.column() < features, "{}.column = {}: the data set has {} columns", place,
                 condition.column(), features);
    return {{condition.column(), value}};
  }
  std::size_t first = 0;
  for (const TableColumn& column : columns) {
    const bool meant = condition.name().empty() ? column.number == condition.column() : column.name == condition.name();
    if (meant) {
      return column.categories.empty() ? numeric(condition, first, place)
                                       : categorical(condition, column, first, place);
    }
    first += column.width();
  }
  std::vector<std::string> names;
  for (const TableColumn& column : columns) names.push_back(fmt::format("{} ({})", column.number, column.name));
  throw_input_error("{}.{}: is no feature of the table; features are the columns {}", place,
                    condition_column(condition), listed(names));
}

}  // namespace souk
