#include <algorithm>
#include <limits>

#include "analysis/statistics/ranks.hpp"
#include "analysis/tables/tables.hpp"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

/// The rows within one column.
struct RankedColumn {
  std::vector<double> ranks;   ///< empty if some row has no outcome
  std::vector<bool> complete;  ///< by row: whether all its runs are done or diverged
};

RankedColumn rank_column(const TableLayout& layout, std::size_t col, const std::map<std::int64_t, double>& values,
                         Better better) {
  RankedColumn column;
  std::vector<double> badness;
  bool all_known = true;
  for (const auto& row : layout.at) {
    const RunGroup group = collect(row[col], values);
    const GroupOutcome outcome = outcome_of(group);
    const double size = better == Better::larger ? -outcome.mean : outcome.mean;
    all_known = all_known && outcome.is_known();
    badness.push_back(outcome.kind == GroupOutcome::Kind::diverged ? std::numeric_limits<double>::infinity() : size);
    column.complete.push_back(group.settled());
  }
  if (all_known) column.ranks = average_ranks(badness);
  return column;
}

std::string rank_text(const RankedColumn& column, std::size_t row) {
  return column.ranks.empty() ? "-" : fmt::format("{}{}", column.ranks[row], column.complete[row] ? "" : "*");
}

ResultTable rank_table(const TableSource& source, const TableShape& shape, const TableLayout& layout,
                       const std::string& metric) {
  const MetricInfo info = metric_info(metric);
  SOUK_REQUIRE(info.better != Better::neither, "neither more nor less '{}' is better: it ranks nobody", metric);
  const auto values = run_values(source.view, metric, source.round);
  std::vector<RankedColumn> columns;
  std::size_t ranked = 0;
  for (std::size_t c = 0; c < layout.cols.size(); ++c) {
    columns.push_back(rank_column(layout, c, values, info.better));
    ranked += columns.back().ranks.empty() ? 0 : 1;
  }
  std::vector<std::pair<double, std::vector<std::string>>> rows;
  for (std::size_t r = 0; r < layout.rows.size(); ++r) {
    double sum = 0.0;
    std::vector<std::string> texts{layout.rows[r]};
    for (const RankedColumn& column : columns) {
      texts.push_back(rank_text(column, r));
      sum += column.ranks.empty() ? 0.0 : column.ranks[r];
    }
    const double mean = ranked == 0 ? 0.0 : sum / static_cast<double>(ranked);
    texts.push_back(ranked == 0 ? "-" : fmt::format(fmt::runtime(source.numbers_in_full ? "{}" : "{:.2f}"), mean));
    rows.emplace_back(mean, std::move(texts));
  }
  std::ranges::stable_sort(rows, {}, [](const auto& row) { return row.first; });
  ResultTable table{
      .title = "rank by " + title_of(source, metric),
      .header = {joined_columns(shape.rows)},
      .rows = {},
      .notes = {"Ranks of the means, 1 for the best; ties share the mean of their ranks. Rows in which a run "
                "diverged come last; a column (-) with a row without any value ranks nobody; * is over a part of the "
                "runs, the others having failed or never started."}};
  table.header.insert(table.header.end(), layout.cols.begin(), layout.cols.end());
  table.header.emplace_back("mean rank");
  for (auto& [mean, texts] : rows) table.rows.push_back(std::move(texts));
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
