#include <algorithm>
#include <functional>
#include <set>

#include "analysis/tables/seed_effects.hpp"
#include "analysis/tables/tables.hpp"
#include "sim/base/contract.hpp"
#include "sim/stats/summary.hpp"

namespace souk {
namespace {

using RunValues = std::map<std::int64_t, double>;

/// What stands at one place of a table: for people, and in the columns of PlaceKind.
struct PlaceOfRun {
  std::string text;
  std::vector<std::string> fields;
};

/// How the places of a table are made.
struct PlaceKind {
  std::vector<std::string> columns;
  std::function<PlaceOfRun(const RunGroup& group, const FrameCells& cells, const RunValues& values,
                           const std::string& metric)>
      at;
  std::string words;               ///< note below the table
  std::vector<std::string> aside;  ///< columns of which the notes need not speak
};

/// The places of one metric, and their rows for other programs.
class PlacesOfRuns {
 public:
  PlacesOfRuns(const TableSource& source, const PlaceKind& kind, const std::string& metric, ResultTable& table)
      : kind_(kind), metric_(metric), values_(run_values(source.view, metric, source.round)), table_(table) {}
  /// The text of a place; its tidy row goes into the table, unless there is nothing at the place.
  std::string take(const TableLayout& layout, std::size_t row, std::size_t col) {
    const FrameCells& cells = layout.at[row][col];
    const RunGroup group = collect(cells, values_);
    if (group.runs == 0) return "";
    PlaceOfRun place = kind_.at(group, cells, values_, metric_);
    table_.tidy.rows.push_back(concatenated(
        {{metric_}, layout.row_values[row], layout.col_values[col], std::move(place.fields), count_fields(group)}));
    return place.text;
  }

 private:
  const PlaceKind& kind_;
  const std::string& metric_;
  RunValues values_;
  ResultTable& table_;
};

bool is_metric(const std::vector<std::string>& columns) { return columns == std::vector<std::string>{"metric"}; }

std::vector<std::string> without_metric(const std::vector<std::string>& columns) {
  return is_metric(columns) ? std::vector<std::string>{} : columns;
}

void require_shape(const TableShape& shape) {
  for (const auto* columns : {&shape.rows, &shape.cols}) {
    SOUK_REQUIRE(std::ranges::find(*columns, "metric") == columns->end() || columns->size() == 1,
                 "rows or columns that are metrics can be nothing else: {}", joined_columns(*columns));
  }
  SOUK_REQUIRE(!(is_metric(shape.rows) && is_metric(shape.cols)), "rows and columns cannot both be the metrics");
}

/// The headings of a table's columns behind the labels of the rows.
void set_columns(const TableLayout& layout, ResultTable& table) {
  table.header.insert(table.header.end(), layout.cols.begin(), layout.cols.end());
  table.column_values.emplace_back();
  for (TableLayout::Values values : layout.col_values) {
    for (std::string& value : values) value = value.empty() ? "–" : value;
    table.column_values.push_back(std::move(values));
  }
}

/// A table without rows whose tidy rows can be filled.
ResultTable empty_table(const TableShape& shape, const PlaceKind& kind, std::string title, std::string corner) {
  ResultTable table{.title = std::move(title), .header = {std::move(corner)}, .rows = {}, .notes = {}};
  table.tidy.header =
      concatenated({{"metric"}, without_metric(shape.rows), without_metric(shape.cols), kind.columns, count_columns()});
  return table;
}

std::set<std::int64_t> runs_of(const FrameCells& cells) {
  std::set<std::int64_t> runs;
  for (const FrameCell* cell : cells) runs.insert(cell->run);
  return runs;
}

/// Columns that have in every row the runs of the column before, as under "none" for every share of attackers.
std::set<std::size_t> repeated_columns(const TableLayout& layout) {
  std::set<std::size_t> repeated;
  for (std::size_t c = 1; c < layout.cols.size(); ++c) {
    const auto same = [&](const std::vector<FrameCells>& row) { return runs_of(row[c]) == runs_of(row[c - 1]); };
    if (std::ranges::all_of(layout.at, same)) repeated.insert(c + 1);  // behind the labels of rows
  }
  return repeated;
}

ResultTable table_of_one_metric(const TableSource& source, const TableShape& shape, const TableLayout& layout,
                                const PlaceKind& kind, const std::string& metric) {
  ResultTable table = empty_table(shape, kind, title_of(source, metric), joined_columns(shape.rows));
  set_columns(layout, table);
  table.repeated = repeated_columns(layout);
  PlacesOfRuns places(source, kind, metric, table);
  for (std::size_t r = 0; r < layout.rows.size(); ++r) {
    std::vector<std::string> row{layout.rows[r]};
    for (std::size_t c = 0; c < layout.cols.size(); ++c) row.push_back(places.take(layout, r, c));
    table.rows.push_back(std::move(row));
  }
  return table;
}

/// Metrics are columns; the layout has no other.
ResultTable table_of_all_metrics(const TableSource& source, const TableShape& shape, const TableLayout& layout,
                                 const PlaceKind& kind) {
  ResultTable table = empty_table(shape, kind, {}, joined_columns(shape.rows));
  for (const std::string& label : layout.rows) table.rows.push_back({label});
  for (const std::string& metric : shape.metrics) {
    table.header.push_back(metric);
    PlacesOfRuns places(source, kind, metric, table);
    for (std::size_t r = 0; r < layout.rows.size(); ++r) table.rows[r].push_back(places.take(layout, r, 0));
    table.notes.push_back(title_of(source, metric) + ".");
  }
  return table;
}

/// Metrics are rows; the layout has no other.
ResultTable table_with_rows_of_metrics(const TableSource& source, const TableShape& shape, const TableLayout& layout,
                                       const PlaceKind& kind) {
  ResultTable table = empty_table(shape, kind, {}, "metric");
  set_columns(layout, table);
  for (const std::string& metric : shape.metrics) {
    PlacesOfRuns places(source, kind, metric, table);
    std::vector<std::string> row{metric};
    for (std::size_t c = 0; c < layout.cols.size(); ++c) row.push_back(places.take(layout, 0, c));
    table.rows.push_back(std::move(row));
    table.notes.push_back(title_of(source, metric) + ".");
  }
  return table;
}

std::vector<ResultTable> tables_of(const TableSource& source, const TableShape& shape, const PlaceKind& kind) {
  require_shape(shape);
  const TableLayout layout = lay_out(source.frame, without_metric(shape.rows), without_metric(shape.cols));
  std::vector<ResultTable> tables;
  if (is_metric(shape.cols)) {
    tables.push_back(table_of_all_metrics(source, shape, layout, kind));
  } else if (is_metric(shape.rows)) {
    tables.push_back(table_with_rows_of_metrics(source, shape, layout, kind));
  } else {
    for (const std::string& metric : shape.metrics) {
      tables.push_back(table_of_one_metric(source, shape, layout, kind, metric));
    }
  }
  const std::vector<std::string> common = notes_about(source, layout, kind.aside);
  for (ResultTable& table : tables) {
    table.notes.push_back(kind.words);
    table.notes.insert(table.notes.end(), common.begin(), common.end());
  }
  return tables;
}

std::string with_mark(const std::string& text, const RunGroup& group) {
  const std::string mark = group.mark();
  return mark.empty() ? text : text + " (" + mark + ")";
}

/// The worst of the outcomes over an axis, with the value of the axis and, where it has some, the marks of its runs.
PlaceOfRun worst_place(const TableSource& source, const RunGroup& all, const FrameCells& cells, const RunValues& values,
                       const std::string& metric, const std::string& axis) {
  const MetricInfo info = metric_info(metric);
  SOUK_REQUIRE(info.better != Better::neither, "neither more nor less '{}' is better: it has no worst", metric);
  std::optional<std::pair<std::string, GroupOutcome>> worst;
  for (const auto& [label, part] : split(source.frame, cells, axis)) {
    const GroupOutcome outcome = outcome_of(collect(part, values));
    if (outcome.is_known() && (!worst || is_worse(outcome, worst->second, info.better))) worst = {label, outcome};
  }
  if (!worst) return {all.substitute(), {"", ""}};
  const auto& [label, outcome] = *worst;
  const bool diverged = outcome.kind == GroupOutcome::Kind::diverged;
  const std::string text = diverged ? to_string(RunStatus::diverged) : NumberText(info, source.percent)(outcome.mean);
  return {with_mark(fmt::format("{} [{}]", text, label), all), {diverged ? "" : full_number(outcome.mean), label}};
}

/// The values of a place's runs that are done, each once, with all that cells differ in beside the seed.
std::vector<SeededValue> seeded_values(const Frame& frame, const FrameCells& cells, const RunValues& values) {
  std::map<std::int64_t, SeededValue> of_run;
  for (const FrameCell* cell : cells) {
    const auto value = values.find(cell->run);
    if (cell->status != RunStatus::done || value == values.end()) continue;
    SeededValue one{.setting = cell->sweep, .seed = frame.value(*cell, "seed").value_or(""), .value = value->second};
    for (const std::string& column : frame.differing()) {
      if (column != "seed") one.setting += "\n" + frame.value(*cell, column).value_or("");
    }
    of_run.emplace(cell->run, std::move(one));
  }
  std::vector<SeededValue> all;
  for (auto& [run, one] : of_run) all.push_back(std::move(one));
  return all;
}

PlaceOfRun statistic_place(const TableSource& source, Statistic statistic, const RunGroup& group,
                           const FrameCells& cells, const RunValues& values, const std::string& metric) {
  std::vector<std::string> none(statistic_columns(statistic).size());
  if (group.values.empty()) return {group.substitute(), std::move(none)};
  const std::vector<double> numbers =
      statistic_numbers(statistic, group.values, seed_effects(seeded_values(source.frame, cells, values)), metric);
  if (statistic == Statistic::worst && group.not_done.contains(RunStatus::diverged)) {
    return {with_mark(to_string(RunStatus::diverged), group), std::move(none)};
  }
  std::vector<std::string> fields;
  for (const double number : numbers) fields.push_back(full_number(number));
  return {with_mark(statistic_text(statistic, numbers, NumberText(metric_info(metric), source.percent)), group),
          std::move(fields)};
}

}  // namespace

std::vector<ResultTable> pivot_tables(const TableSource& source, const TableShape& shape, Statistic statistic) {
  return tables_of(
      source, shape,
      {.columns = statistic_columns(statistic),
       .at =
           [&](const RunGroup& group, const FrameCells& cells, const RunValues& values, const std::string& metric) {
             return statistic_place(source, statistic, group, cells, values, metric);
           },
       .words = fmt::format("Statistic: {}.", words_of(statistic)),
       .aside = {}});
}

std::vector<ResultTable> worst_tables(const TableSource& source, const TableShape& shape, const std::string& axis) {
  source.frame.labels(axis);  // which must exist
  return tables_of(
      source, shape,
      {.columns = {"mean", "worst_" + axis},
       .at = [&](const RunGroup& group, const FrameCells& cells, const RunValues& values,
                 const std::string& metric) { return worst_place(source, group, cells, values, metric, axis); },
       .words = fmt::format("Worst of the means over the values of {}, and the value in brackets; where a "
                            "run of a value diverged, that is worse than any number.",
                            axis),
       .aside = {axis}});
}

}  // namespace souk
