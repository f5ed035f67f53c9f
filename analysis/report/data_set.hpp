#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace souk {

/// A value of a figure or a table: none, an integer, a real number or a text. A real number that is not finite is none.
class ReportValue {
 public:
  enum class Kind : std::uint8_t { none, integer, real, text };
  ReportValue() = default;
  ReportValue(std::integral auto number) : kind_(Kind::integer), integer_(static_cast<std::int64_t>(number)) {}
  ReportValue(double number) : kind_(std::isfinite(number) ? Kind::real : Kind::none), real_(number) {}
  ReportValue(std::optional<double> number) : ReportValue(number.value_or(std::nan(""))) {}
  ReportValue(std::string text) : kind_(Kind::text), text_(std::move(text)) {}
  ReportValue(const char* text) : ReportValue(std::string(text)) {}

  Kind kind() const { return kind_; }
  std::int64_t integer() const { return integer_; }
  double real() const { return real_; }
  const std::string& text() const { return text_; }

 private:
  Kind kind_ = Kind::none;
  std::int64_t integer_ = 0;
  double real_ = 0.0;
  std::string text_;
};

/// Rows with named columns, the data of a figure or a table of the report. Real numbers are written with 6 significant
/// digits.
class DataSet {
 public:
  explicit DataSet(std::vector<std::string> columns);
  /// Contract: one value per column.
  void add(std::vector<ReportValue> row);
  std::size_t rows() const { return rows_.size(); }
  bool empty() const { return rows_.empty(); }
  const std::vector<std::string>& columns() const { return columns_; }
  bool has_column(std::string_view column) const;
  const ReportValue& at(std::size_t row, std::string_view column) const;

  /// {"columns":[{"name":…,"values":[…]} or, of texts, {"name":…,"levels":[…],"codes":[…]}]}: what the page reads.
  /// Texts are listed once, in the order of their first appearance; code -1 is no value.
  std::string to_columns_json() const;
  /// [{"column":value,…},…]: what Vega-Lite reads.
  std::string to_rows_json() const;

 private:
  std::string column_json(std::size_t column) const;
  std::vector<std::string> columns_;
  std::vector<std::vector<ReportValue>> rows_;
};

/// A text as JSON, quotes included; bytes that are no UTF-8 become U+FFFD.
std::string json_text(std::string_view text);

}  // namespace souk
