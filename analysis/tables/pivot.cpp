#include <algorithm>
#include <functional>

#include "analysis/statistics/summary.hpp"
#include "analysis/tables/tables.hpp"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

using RunValues = std::map<std::int64_t, double>;
/// The text of one place of a table.
using PlaceText =
    std::function<std::string(const FrameCells& cells, const RunValues& values, const std::string& metric)>;

bool is_metric(const std::vector<std::string>& columns) { return columns == std::vector<std::string>{"metric"}; }

void require_shape(const TableShape& shape) {
  for (const auto* columns : {&shape.rows, &shape.cols}) {
    SOUK_REQUIRE(std::ranges::find(*columns, "metric") == columns->end() || columns->size() == 1,
                 "rows or columns that are metrics can be nothing else: {}", joined_columns(*columns));
  }
  SOUK_REQUIRE(!(is_metric(shape.rows) && is_metric(shape.cols)), "rows and columns cannot both be the metrics");
}

ResultTable table_of_one_metric(const TableSource& source, const TableShape& shape, const std::string& metric,
                                const PlaceText& place) {
  const TableLayout layout = lay_out(source.frame, shape.rows, shape.cols);
  const RunValues values = run_values(source.view, metric, source.round);
  ResultTable table{.title = title_of(source, metric), .header = {joined_columns(shape.rows)}, .rows = {}, .notes = {}};
  table.header.insert(table.header.end(), layout.cols.begin(), layout.cols.end());
  for (std::size_t r = 0; r < layout.rows.size(); ++r) {
    std::vector<std::string> row{layout.rows[r]};
    for (const FrameCells& cells : layout.at[r]) row.push_back(place(cells, values, metric));
    table.rows.push_back(std::move(row));
  }
  return table;
}

/// Metrics are columns; or, turned, rows.
ResultTable table_of_all_metrics(const TableSource& source, const TableShape& shape, const PlaceText& place) {
  const bool turned = is_metric(shape.rows);
  const std::vector<std::string>& columns = turned ? shape.cols : shape.rows;
  const TableLayout layout = lay_out(source.frame, columns, {});
  ResultTable table{.title = {}, .header = {joined_columns(columns)}, .rows = {}, .notes = {}};
  for (const std::string& label : layout.rows) table.rows.push_back({label});
  for (const std::string& metric : shape.metrics) {
    const RunValues values = run_values(source.view, metric, source.round);
    table.header.push_back(metric);
    for (std::size_t r = 0; r < layout.rows.size(); ++r) {
      table.rows[r].push_back(place(layout.at[r][0], values, metric));
    }
    table.notes.push_back(title_of(source, metric) + ".");
  }
  if (!turned) return table;
  ResultTable across{.title = {}, .header = {"metric"}, .rows = {}, .notes = table.notes};
  for (const auto& row : table.rows) across.header.push_back(row[0]);
  for (std::size_t m = 1; m < table.header.size(); ++m) {
    std::vector<std::string> row{table.header[m]};
    for (const auto& of_label : table.rows) row.push_back(of_label[m]);
    across.rows.push_back(std::move(row));
  }
  return across;
}

std::vector<ResultTable> tables_of(const TableSource& source, const TableShape& shape, const PlaceText& place,
                                   const std::string& words, std::vector<std::string> aside) {
  require_shape(shape);
  std::vector<ResultTable> tables;
  const bool in_one = is_metric(shape.rows) || is_metric(shape.cols);
  if (in_one) {
    tables.push_back(table_of_all_metrics(source, shape, place));
  } else {
    for (const std::string& metric : shape.metrics) {
      tables.push_back(table_of_one_metric(source, shape, metric, place));
    }
  }
  const auto columns = [](const std::vector<std::string>& given) {
    return is_metric(given) ? std::vector<std::string>{} : given;
  };
  const TableLayout layout = lay_out(source.frame, columns(shape.rows), columns(shape.cols));
  const std::vector<std::string> common = notes_about(source, layout, aside);
  for (ResultTable& table : tables) {
    table.notes.push_back(words);
    table.notes.insert(table.notes.end(), common.begin(), common.end());
  }
  return tables;
}

std::string with_mark(const std::string& text, const RunGroup& group) {
  const std::string mark = group.mark();
  return mark.empty() ? text : text + " (" + mark + ")";
}

/// The worst of the outcomes over an axis, with the value of the axis and, where it has some, the marks of its runs.
std::string worst_text(const TableSource& source, const FrameCells& cells, const RunValues& values,
                       const std::string& metric, const std::string& axis) {
  const MetricInfo info = metric_info(metric);
  SOUK_REQUIRE(info.better != Better::neither, "neither more nor less '{}' is better: it has no worst", metric);
  std::optional<std::pair<std::string, GroupOutcome>> worst;
  for (const auto& [label, part] : split(source.frame, cells, axis)) {
    const GroupOutcome outcome = outcome_of(collect(part, values));
    if (outcome.is_known() && (!worst || is_worse(outcome, worst->second, info.better))) worst = {label, outcome};
  }
  const RunGroup all = collect(cells, values);
  if (!worst) return all.substitute();
  const bool diverged = worst->second.kind == GroupOutcome::Kind::diverged;
  const std::string text = diverged ? "diverged" : NumberText(info, source.numbers_in_full)(worst->second.mean);
  return with_mark(fmt::format("{} [{}]", text, worst->first), all);
}

}  // namespace

std::vector<ResultTable> pivot_tables(const TableSource& source, const TableShape& shape, Statistic statistic) {
  const PlaceText place = [&](const FrameCells& cells, const RunValues& values, const std::string& metric) {
    const RunGroup group = collect(cells, values);
    if (group.values.empty()) return group.substitute();
    const NumberText number(metric_info(metric), source.numbers_in_full);
    return with_mark(statistic_text(statistic, group.values, metric, number), group);
  };
  return tables_of(source, shape, place, fmt::format("Statistic: {}.", words_of(statistic)), {});
}

std::vector<ResultTable> worst_tables(const TableSource& source, const TableShape& shape, const std::string& axis) {
  source.frame.labels(axis);  // which must exist
  const PlaceText place = [&](const FrameCells& cells, const RunValues& values, const std::string& metric) {
    return worst_text(source, cells, values, metric, axis);
  };
  return tables_of(source, shape, place,
                   fmt::format("Worst of the means over the values of {}, and the value in brackets; where a run of a "
                               "value diverged, that is worse than any number.",
                               axis),
                   {axis});
}

}  // namespace souk
