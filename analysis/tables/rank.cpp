#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "analysis/tables/tables.hpp"
#include "sim/base/contract.hpp"
#include "sim/stats/ranks.hpp"

namespace souk {
namespace {

/// The rows within one column.
struct RankedColumn {
  std::vector<double> ranks;     ///< empty if some row has no outcome
  std::vector<RunGroup> groups;  ///< by row
};

RankedColumn rank_column(const TableLayout& layout, std::size_t col, const std::map<std::int64_t, double>& values,
                         Better better) {
  RankedColumn column;
  std::vector<double> badness;
  bool all_known = true;
  for (const auto& row : layout.at) {
    RunGroup group = collect(row[col], values);
    const GroupOutcome outcome = outcome_of(group);
    const double size = better == Better::larger ? -outcome.mean : outcome.mean;
    all_known = all_known && outcome.is_known();
    badness.push_back(outcome.kind == GroupOutcome::Kind::diverged ? std::numeric_limits<double>::infinity() : size);
    column.groups.push_back(std::move(group));
  }
  if (all_known) column.ranks = average_ranks(badness, rounding_of(badness));
  return column;
}

std::string rank_text(const RankedColumn& column, std::size_t row) {
  return column.ranks.empty() ? "-" : fmt::format("{}{}", column.ranks[row], column.groups[row].settled() ? "" : "*");
}

/// The mean rank of each row over the columns that rank; NaN without any.
std::vector<double> mean_ranks(const std::vector<RankedColumn>& columns, std::size_t rows) {
  std::vector<double> means(rows, 0.0);
  std::size_t ranked = 0;
  for (const RankedColumn& column : columns) {
    if (column.ranks.empty()) continue;
    ++ranked;
    for (std::size_t r = 0; r < rows; ++r) means[r] += column.ranks[r];
  }
  for (double& mean : means) mean = ranked == 0 ? std::nan("") : mean / static_cast<double>(ranked);
  return means;
}

/// Row `r` at every column: mean, rank and mean rank.
void add_tidy_rows(TidyTable& tidy, const TableLayout& layout, const std::vector<RankedColumn>& columns, std::size_t r,
                   double mean_rank, const std::string& metric) {
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const RunGroup& group = columns[c].groups[r];
    if (group.runs == 0) continue;
    const GroupOutcome outcome = outcome_of(group);
    const double mean = outcome.kind == GroupOutcome::Kind::value ? outcome.mean : std::nan("");
    const double rank = columns[c].ranks.empty() ? std::nan("") : columns[c].ranks[r];
    tidy.rows.push_back(concatenated({{metric},
                                      layout.row_values[r],
                                      layout.col_values[c],
                                      {full_number(mean), full_number(rank), full_number(mean_rank)},
                                      count_fields(group)}));
  }
}

ResultTable rank_table(const TableSource& source, const TableShape& shape, const TableLayout& layout,
                       const std::string& metric) {
  const MetricInfo info = metric_info(metric);
  SOUK_REQUIRE(info.better != Better::neither, "neither more nor less '{}' is better: it ranks nobody", metric);
  const auto values = run_values(source.view, metric, source.round);
  std::vector<RankedColumn> columns;
  for (std::size_t c = 0; c < layout.cols.size(); ++c) {
    columns.push_back(rank_column(layout, c, values, info.better));
  }
  const std::vector<double> means = mean_ranks(columns, layout.rows.size());
  std::vector<std::size_t> order(layout.rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (!order.empty() && !std::isnan(means[0])) {
    std::ranges::stable_sort(order, {}, [&](std::size_t r) { return means[r]; });
  }
  ResultTable table{
      .title = "rank by " + title_of(source, metric),
      .header = {joined_columns(shape.rows)},
      .rows = {},
      .notes = {"Ranks of the means, 1 for the best; means that are equal up to rounding share the mean of their "
                "ranks. Rows in which a run "
                "diverged come last; a column (-) with a row without any value ranks nobody; * is over a part of the "
                "runs, the others having failed or never started."}};
  table.header.insert(table.header.end(), layout.cols.begin(), layout.cols.end());
  table.header.emplace_back("mean rank");
  table.tidy.header =
      concatenated({{"metric"}, shape.rows, shape.cols, {"mean", "rank", "mean_rank"}, count_columns()});
  for (const std::size_t r : order) {
    std::vector<std::string>& row = table.rows.emplace_back(1, layout.rows[r]);
    for (const RankedColumn& column : columns) row.push_back(rank_text(column, r));
    row.push_back(std::isnan(means[r]) ? "-" : fmt::format("{:.2f}", means[r]));
    add_tidy_rows(table.tidy, layout, columns, r, means[r], metric);
  }
  return table;
}

}  // namespace

std::vector<ResultTable> rank_tables(const TableSource& source, const TableShape& shape) {
  const TableLayout layout = lay_out(source.frame, shape.rows, shape.cols);
  std::vector<ResultTable> tables;
  for (const std::string& metric : shape.metrics) {
    tables.push_back(rank_table(source, shape, layout, metric));
    for (std::string& note : notes_about(source, layout, {})) tables.back().notes.push_back(std::move(note));
  }
  return tables;
}

}  // namespace souk
