#include <algorithm>
#include <cmath>
#include <set>

#include "analysis/statistics/bootstrap.hpp"
#include "analysis/statistics/summary.hpp"
#include "analysis/statistics/wilcoxon.hpp"
#include "analysis/tables/tables.hpp"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

using Key = std::vector<std::string>;
using ByKey = std::map<Key, const FrameCell*>;

struct Pair {
  const FrameCell* a;
  const FrameCell* b;
};

/// The values that cells take in a column; an absent one is empty.
std::set<std::string> values_in(const Frame& frame, const FrameCells& cells, const std::string& column) {
  std::set<std::string> values;
  for (const FrameCell* cell : cells) values.insert(frame.value(*cell, column).value_or(""));
  return values;
}

/// Columns in which partners must agree: all but those in which the two sides have nothing in common, which are part of
/// what is compared (the settings of a rule, say).
std::vector<std::string> columns_to_agree_in(const Frame& frame, const FrameCells& a, const FrameCells& b) {
  std::vector<std::string> columns{"sweep"};
  for (const std::string& column : frame.differing()) {
    const std::set<std::string> of_a = values_in(frame, a, column);
    const std::set<std::string> of_b = values_in(frame, b, column);
    if (std::ranges::any_of(of_a, [&](const std::string& value) { return of_b.contains(value); })) {
      columns.push_back(column);
    }
  }
  return columns;
}

ByKey by_key(const Frame& frame, const FrameCells& cells, const std::vector<std::string>& columns,
             const std::string& label) {
  ByKey found;
  for (const FrameCell* cell : cells) {
    Key key;
    for (const std::string& column : columns) key.push_back(frame.value(*cell, column).value_or(""));
    const auto [entry, is_new] = found.emplace(std::move(key), cell);
    SOUK_REQUIRE(is_new || entry->second->run == cell->run,
                 "two runs of {} agree in {}: which of them is to be compared is not clear; choose with --filter",
                 label, joined_columns(columns));
  }
  return found;
}

/// FrameCells that agree, each pair of runs once.
std::vector<Pair> pairs_of(const ByKey& a, const ByKey& b) {
  std::vector<Pair> pairs;
  std::set<std::pair<std::int64_t, std::int64_t>> seen;
  for (const auto& [key, cell] : a) {
    const auto partner = b.find(key);
    if (partner != b.end() && seen.emplace(cell->run, partner->second->run).second) {
      pairs.push_back({cell, partner->second});
    }
  }
  return pairs;
}

struct Sides {
  std::vector<double> a, b, difference;
};

Sides finished(const std::vector<Pair>& pairs, const std::map<std::int64_t, double>& values) {
  Sides sides;
  for (const Pair& pair : pairs) {
    const auto a = values.find(pair.a->run);
    const auto b = values.find(pair.b->run);
    if (pair.a->status != "done" || pair.b->status != "done" || a == values.end() || b == values.end()) continue;
    sides.a.push_back(a->second);
    sides.b.push_back(b->second);
    sides.difference.push_back(a->second - b->second);
  }
  return sides;
}

std::vector<std::string> line_of(const Sides& sides, const NumberText& number) {
  if (sides.difference.empty()) return {"0", "n/a", "n/a", "n/a", "n/a", "n/a", "n/a"};
  const Summary summary = summarise(sides.difference);
  const Interval interval = bootstrap_of_mean(sides.difference);
  const Wilcoxon test = wilcoxon_signed_rank(sides.difference);
  const bool has_interval = !std::isnan(summary.ci95);
  return {std::to_string(summary.count),
          number(summarise(sides.a).mean),
          number(summarise(sides.b).mean),
          number(summary.mean),
          has_interval
              ? fmt::format("{} to {}", number(summary.mean - summary.ci95), number(summary.mean + summary.ci95))
              : "n/a",
          fmt::format("{} to {}", number(interval.low), number(interval.high)),
          fmt::format("{:.4g}{}", test.p, test.exact ? "" : " (normal)")};
}

}  // namespace

ResultTable compare_table(const TableSource& source, const TableShape& shape, const std::string& a,
                          const std::string& b) {
  SOUK_REQUIRE(shape.rows.size() == 1, "two values of one column are compared, not of {}", joined_columns(shape.rows));
  const TableLayout layout = lay_out(source.frame, shape.rows, shape.cols);
  const auto row_of = [&](const std::string& label) {
    const auto found = std::ranges::find(layout.rows, label);
    SOUK_REQUIRE(found != layout.rows.end(), "no run has {} = {}", shape.rows[0], label);
    return static_cast<std::size_t>(found - layout.rows.begin());
  };
  const std::size_t row_a = row_of(a);
  const std::size_t row_b = row_of(b);
  FrameCells all_a;
  FrameCells all_b;
  for (const FrameCells& cells : layout.at[row_a]) all_a.insert(all_a.end(), cells.begin(), cells.end());
  for (const FrameCells& cells : layout.at[row_b]) all_b.insert(all_b.end(), cells.begin(), cells.end());
  const std::vector<std::string> columns = columns_to_agree_in(source.frame, all_a, all_b);

  ResultTable table{.title = fmt::format("{} less {}, paired", a, b),
                    .header = {"metric", "pairs", "mean " + a, "mean " + b, "difference", "95 % interval (t)",
                               "95 % interval (bootstrap)", "p (Wilcoxon)"},
                    .rows = {},
                    .notes = {}};
  if (!shape.cols.empty()) table.header.insert(table.header.begin() + 1, joined_columns(shape.cols));
  std::size_t partners = 0;
  std::size_t most_used = 0;
  for (const std::string& metric : shape.metrics) {
    const auto values = run_values(source.view, metric, source.round);
    const NumberText number(metric_info(metric), source.numbers_in_full);
    for (std::size_t c = 0; c < layout.cols.size(); ++c) {
      const std::vector<Pair> pairs = pairs_of(by_key(source.frame, layout.at[row_a][c], columns, a),
                                               by_key(source.frame, layout.at[row_b][c], columns, b));
      const Sides sides = finished(pairs, values);
      partners += pairs.size();
      most_used += sides.difference.size();
      std::vector<std::string> row = line_of(sides, number);
      if (!shape.cols.empty()) row.insert(row.begin(), layout.cols[c]);
      row.insert(row.begin(), metric);
      table.rows.push_back(std::move(row));
    }
  }
  table.notes = {
      fmt::format("Pairs of runs that agree in {}.", joined_columns(columns)),
      fmt::format("Intervals: Student's t on the differences; percentile bootstrap of their mean, {} resamples.",
                  bootstrap_resamples),
      "p: Wilcoxon signed-rank test, two-sided, differences of 0 left out; exact up to 25 differences, else normal "
      "approximation with corrections for ties and continuity.",
      "Pairs that share a seed or a setting are not independent: p and the intervals are then too confident."};
  if (partners > most_used) {
    table.notes.push_back(fmt::format("{} of {} pairs have a run without a final value and are left out.",
                                      partners - most_used, partners));
  }
  return table;
}

}  // namespace souk
