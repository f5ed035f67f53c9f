#include <algorithm>
#include <cmath>
#include <set>

#include "analysis/tables/tables.hpp"
#include "sim/base/contract.hpp"
#include "sim/stats/bootstrap.hpp"
#include "sim/stats/ranks.hpp"
#include "sim/stats/summary.hpp"
#include "sim/stats/wilcoxon.hpp"

namespace souk {
namespace {

using Key = std::vector<std::string>;
using ByKey = std::map<Key, const FrameCell*>;

struct RunPair {
  const FrameCell* a;
  const FrameCell* b;
};

/// The values that cells take in a column; an absent one is empty.
std::set<std::string> values_in(const Frame& frame, const FrameCells& cells, const std::string& column) {
  std::set<std::string> values;
  for (const FrameCell* cell : cells) values.insert(frame.value(*cell, column).value_or(""));
  return values;
}

/// The columns in which two sides may differ.
struct Conditions {
  std::vector<std::string> agree = {};   ///< in which partners must agree: sweep, seed, and all in which they can
  std::vector<std::string> differ = {};  ///< in which the sides have no value in common: part of what is compared
};

Conditions conditions_of(const Frame& frame, const std::string& compared, const FrameCells& a, const FrameCells& b) {
  Conditions conditions;
  if (compared != "sweep") conditions.agree.emplace_back("sweep");
  for (const std::string& column : frame.differing()) {
    if (column == compared) continue;
    const std::set<std::string> of_a = values_in(frame, a, column);
    const std::set<std::string> of_b = values_in(frame, b, column);
    const auto shared = [&](const std::string& value) { return of_b.contains(value); };
    const bool agree = column == "seed" || std::ranges::any_of(of_a, shared);
    (agree ? conditions.agree : conditions.differ).push_back(column);
  }
  return conditions;
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
std::vector<RunPair> run_pairs_of(const ByKey& a, const ByKey& b) {
  std::vector<RunPair> pairs;
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

Sides finished(const std::vector<RunPair>& pairs, const std::map<std::int64_t, double>& values) {
  Sides sides;
  for (const RunPair& pair : pairs) {
    const auto a = values.find(pair.a->run);
    const auto b = values.find(pair.b->run);
    const bool done = pair.a->status == RunStatus::done && pair.b->status == RunStatus::done;
    if (!done || a == values.end() || b == values.end()) continue;
    sides.a.push_back(a->second);
    sides.b.push_back(b->second);
    sides.difference.push_back(a->second - b->second);
  }
  return sides;
}

/// What some pairs come to; NaN where they are too few.
struct Outcome {
  std::size_t pairs = 0;
  double mean_a, mean_b, difference;
  Interval t, bootstrap;
  Wilcoxon test;
};

Outcome outcome_of_pairs(const Sides& sides) {
  const Summary summary = summarise(sides.difference);
  const double rounding = std::max(rounding_of(sides.a), rounding_of(sides.b));
  return {.pairs = summary.count,
          .mean_a = summarise(sides.a).mean,
          .mean_b = summarise(sides.b).mean,
          .difference = summary.mean,
          .t = {summary.mean - summary.ci95, summary.mean + summary.ci95},
          .bootstrap = bootstrap_of_mean(sides.difference),
          .test = wilcoxon_signed_rank(sides.difference, rounding)};
}

std::vector<std::string> texts_of(const Outcome& outcome, const NumberText& number) {
  if (outcome.pairs == 0) return {"0", "n/a", "n/a", "n/a", "n/a", "n/a", "n/a"};
  const auto interval = [&](const Interval& of) {
    return std::isnan(of.low) ? "n/a" : fmt::format("{} to {}", number(of.low), number(of.high));
  };
  return {std::to_string(outcome.pairs),
          number(outcome.mean_a),
          number(outcome.mean_b),
          number(outcome.difference),
          interval(outcome.t),
          interval(outcome.bootstrap),
          fmt::format("{:.4g}{}", outcome.test.p, outcome.test.exact ? "" : " (normal)")};
}

const std::vector<std::string> tidy_columns{"a",          "b",     "pairs",  "mean_a",        "mean_b",
                                            "difference", "t_low", "t_high", "bootstrap_low", "bootstrap_high",
                                            "p",          "p_from"};

std::vector<std::string> fields_of(const Outcome& outcome, const std::string& a, const std::string& b) {
  std::vector<std::string> fields{a, b, std::to_string(outcome.pairs)};
  for (const double number : {outcome.mean_a, outcome.mean_b, outcome.difference, outcome.t.low, outcome.t.high,
                              outcome.bootstrap.low, outcome.bootstrap.high}) {
    fields.push_back(full_number(number));
  }
  const bool tested = outcome.pairs > 0;
  fields.push_back(tested ? full_number(outcome.test.p) : "");
  fields.emplace_back(!tested ? "" : outcome.test.exact ? "exact" : "normal");
  return fields;
}

/// Who is compared with whom: the cells of both sides by column of the table, and the pairs among them.
class Comparison {
 public:
  Comparison(const Frame& frame, const TableShape& shape, const std::string& a, const std::string& b)
      : layout_(lay_out(frame, shape.rows, shape.cols)) {
    const std::vector<FrameCells>& cells_a = side(shape.rows[0], a);
    const std::vector<FrameCells>& cells_b = side(shape.rows[0], b);
    conditions_ = conditions_of(frame, shape.rows[0], joined(cells_a), joined(cells_b));
    const std::vector<std::string>& agree = conditions_.agree;
    for (std::size_t c = 0; c < layout_.cols.size(); ++c) {
      pairs_.push_back(run_pairs_of(by_key(frame, cells_a[c], agree, a), by_key(frame, cells_b[c], agree, b)));
    }
    SOUK_REQUIRE(std::ranges::any_of(pairs_, [](const auto& pairs) { return !pairs.empty(); }),
                 "no run of {} and run of {} agree in {}: there is nothing to compare", a, b, joined_columns(agree));
  }
  const std::vector<std::string>& cols() const { return layout_.cols; }
  const std::vector<std::string>& col_values(std::size_t col) const { return layout_.col_values[col]; }
  const std::vector<RunPair>& pairs(std::size_t col) const { return pairs_[col]; }
  const Conditions& conditions() const { return conditions_; }

 private:
  const std::vector<FrameCells>& side(const std::string& column, const std::string& label) const {
    const auto found = std::ranges::find(layout_.rows, label);
    SOUK_REQUIRE(found != layout_.rows.end(), "no run has {} = {}", column, label);
    return layout_.at[static_cast<std::size_t>(found - layout_.rows.begin())];
  }
  static FrameCells joined(const std::vector<FrameCells>& parts) {
    FrameCells all;
    for (const FrameCells& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
  }
  TableLayout layout_;
  Conditions conditions_;
  std::vector<std::vector<RunPair>> pairs_;  ///< by column
};

std::vector<std::string> notes_of(const Comparison& comparison) {
  const Conditions& conditions = comparison.conditions();
  std::vector<std::string> notes{fmt::format("Pairs of runs that agree in {}.", joined_columns(conditions.agree))};
  if (!conditions.differ.empty()) {
    notes.push_back(fmt::format("The two have no value of {} in common: that is part of what is compared.",
                                joined_columns(conditions.differ)));
  }
  notes.push_back(
      fmt::format("Intervals: Student's t on the differences; percentile bootstrap of their mean, {} resamples.",
                  bootstrap_resamples));
  notes.emplace_back(
      "p: Wilcoxon signed-rank test, two-sided, differences of 0 left out, equal up to rounding is equal; exact up to "
      "25 differences, else normal approximation with corrections for ties and continuity.");
  notes.emplace_back(
      "Pairs that share a seed or a setting are not independent: p and the intervals are then too "
      "confident.");
  return notes;
}

}  // namespace

ResultTable compare_table(const TableSource& source, const TableShape& shape, const std::string& a,
                          const std::string& b) {
  SOUK_REQUIRE(shape.rows.size() == 1, "two values of one column are compared, not of {}", joined_columns(shape.rows));
  SOUK_REQUIRE(a != b, "two values are compared, not {} with itself", a);
  const Comparison comparison(source.frame, shape, a, b);
  ResultTable table{.title = fmt::format("{} less {}, paired", a, b),
                    .header = {"metric", "pairs", "mean " + a, "mean " + b, "difference", "95 % interval (t)",
                               "95 % interval (bootstrap)", "p (Wilcoxon)"},
                    .rows = {},
                    .notes = notes_of(comparison)};
  table.tidy.header = concatenated({{"metric"}, shape.cols, tidy_columns});
  if (!shape.cols.empty()) table.header.insert(table.header.begin() + 1, joined_columns(shape.cols));
  std::size_t all = 0;
  std::size_t used = 0;
  for (const std::string& metric : shape.metrics) {
    const auto values = run_values(source.view, metric, source.round);
    const NumberText number(metric_info(metric), source.percent);
    for (std::size_t c = 0; c < comparison.cols().size(); ++c) {
      const Sides sides = finished(comparison.pairs(c), values);
      all += comparison.pairs(c).size();
      used += sides.difference.size();
      const Outcome outcome = outcome_of_pairs(sides);
      std::vector<std::string> row = texts_of(outcome, number);
      if (!shape.cols.empty()) row.insert(row.begin(), comparison.cols()[c]);
      row.insert(row.begin(), metric);
      table.rows.push_back(std::move(row));
      table.tidy.rows.push_back(concatenated({{metric}, comparison.col_values(c), fields_of(outcome, a, b)}));
    }
  }
  if (all > used) {
    table.notes.push_back(
        fmt::format("{} of {} pairs have a run without a final value and are left out.", all - used, all));
  }
  table.notes.insert(table.notes.end(), source.remarks.begin(), source.remarks.end());
  return table;
}

}  // namespace souk
