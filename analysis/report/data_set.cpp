#include "analysis/report/data_set.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

std::string value_json(const ReportValue& value) {
  switch (value.kind()) {
    case ReportValue::Kind::integer:
      return fmt::format("{}", value.integer());
    case ReportValue::Kind::real:
      return fmt::format("{:.6g}", value.real());
    case ReportValue::Kind::text:
      return json_text(value.text());
    case ReportValue::Kind::none:
      break;
  }
  return "null";
}

}  // namespace

std::string json_text(std::string_view text) {
  return nlohmann::json(std::string(text)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

DataSet::DataSet(std::vector<std::string> columns) : columns_(std::move(columns)) {}

void DataSet::add(std::vector<ReportValue> row) {
  SOUK_EXPECT(row.size() == columns_.size());
  rows_.push_back(std::move(row));
}

bool DataSet::has_column(std::string_view column) const {
  return std::ranges::find(columns_, column) != columns_.end();
}

const ReportValue& DataSet::at(std::size_t row, std::string_view column) const {
  const auto found = std::find(columns_.begin(), columns_.end(), column);
  SOUK_EXPECT(found != columns_.end() && row < rows_.size());
  return rows_[row][static_cast<std::size_t>(found - columns_.begin())];
}

std::string DataSet::column_json(std::size_t column) const {
  const bool texts =
      std::ranges::any_of(rows_, [&](const auto& row) { return row[column].kind() == ReportValue::Kind::text; });
  std::vector<std::string> values;
  values.reserve(rows_.size());
  if (!texts) {
    for (const auto& row : rows_) values.push_back(value_json(row[column]));
    return fmt::format(R"({{"name":{},"values":[{}]}})", json_text(columns_[column]), fmt::join(values, ","));
  }
  std::map<std::string, std::size_t> codes;
  std::vector<std::string> levels;
  for (const auto& row : rows_) {
    const std::string level = value_json(row[column]);
    if (level == "null") {
      values.emplace_back("-1");
      continue;
    }
    const auto [place, is_new] = codes.try_emplace(level, levels.size());
    if (is_new) levels.push_back(level);
    values.push_back(fmt::format("{}", place->second));
  }
  return fmt::format(R"({{"name":{},"levels":[{}],"codes":[{}]}})", json_text(columns_[column]), fmt::join(levels, ","),
                     fmt::join(values, ","));
}

std::string DataSet::to_columns_json() const {
  std::vector<std::string> columns;
  for (std::size_t i = 0; i < columns_.size(); ++i) columns.push_back(column_json(i));
  return fmt::format(R"({{"columns":[{}]}})", fmt::join(columns, ","));
}

std::string DataSet::to_rows_json() const {
  std::string rows;
  for (const auto& row : rows_) {
    rows += rows.empty() ? "{" : ",\n{";
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      rows += fmt::format("{}{}:{}", i > 0 ? "," : "", json_text(columns_[i]), value_json(row[i]));
    }
    rows += "}";
  }
  return "[" + rows + "]";
}

}  // namespace souk
