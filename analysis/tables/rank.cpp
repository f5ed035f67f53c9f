#include <algorithm>
#include <limits>

#include "analysis/statistics/ranks.hpp"
#include "analysis/tables/tables.hpp"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

/// Ranks of the rows within one column; empty if some row has no outcome.
std::vector<double> ranks_in(const TableLayout& layout, std::size_t col, const std::map<std::int64_t, double>& values,
                             Better better) {
  std::vector<double> badness;
  for (const auto& row : layout.at) {
    const GroupOutcome outcome = outcome_of(collect(row[col], values));
    if (!outcome.is_known()) return {};
    const double size = better == Better::larger ? -outcome.mean : outcome.mean;
    badness.push_back(outcome.kind == GroupOutcome::Kind::diverged ? std::numeric_limits<double>::infinity() : size);
  }
  return average_ranks(badness);
}

ResultTable rank_table(const TableSource& source, const TableShape& shape, const TableLayout& layout,
                       const std::string& metric) {
  const MetricInfo info = metric_info(metric);
  SOUK_REQUIRE(info.better != Better::neither, "neither more nor less '{}' is better: it ranks nobody", metric);
  const auto values = run_values(source.view, metric, source.round);
  std::vector<std::vector<double>> ranks;  // by column
  std::size_t ranked = 0;
  for (std::size_t c = 0; c < layout.cols.size(); ++c) {
    ranks.push_back(ranks_in(layout, c, values, info.better));
    ranked += ranks.back().empty() ? 0 : 1;
  }
  std::vector<std::pair<double, std::vector<std::string>>> rows;
  for (std::size_t r = 0; r < layout.rows.size(); ++r) {
    double sum = 0.0;
    std::vector<std::string> texts{layout.rows[r]};
    for (const auto& column : ranks) {
      texts.push_back(column.empty() ? "-" : fmt::format("{}", column[r]));
      sum += column.empty() ? 0.0 : column[r];
    }
    const double mean = sum / static_cast<double>(ranked);
    texts.push_back(ranked == 0 ? "-"
                                : (source.numbers_in_full ? fmt::format("{}", mean) : fmt::format("{:.2f}", mean)));
    rows.emplace_back(ranked == 0 ? 0.0 : mean, std::move(texts));
  }
  std::ranges::stable_sort(rows, {}, [](const auto& row) { return row.first; });
  ResultTable table{
      .title = "rank by " + title_of(source, metric),
      .header = {joined_columns(shape.rows)},
      .rows = {},
      .notes = {"Ranks of the means, 1 for the best; ties share the mean of their ranks. Rows in which a run "
                "diverged come last; a column (-) with a row without any value ranks nobody."}};
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
