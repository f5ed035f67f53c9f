#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "analysis/tables/tables.hpp"

namespace souk {
namespace {

/// Values that a column takes within one of the groups, at least two; empty if no group has as many.
std::vector<std::string> mixed_values(const TableSource& source, const TableLayout& layout, const std::string& column) {
  std::set<std::string> mixed;
  for (const auto& row : layout.at) {
    for (const FrameCells& cells : row) {
      std::set<std::string> values;
      for (const FrameCell* cell : cells) {
        if (const auto value = source.frame.value(*cell, column)) values.insert(*value);
      }
      if (values.size() > 1) mixed.insert(values.begin(), values.end());
    }
  }
  std::vector<std::string> ordered = source.frame.labels(column);
  std::erase_if(ordered, [&](const std::string& value) { return !mixed.contains(value); });
  return ordered;
}

std::string listed(const std::vector<std::string>& values) {
  constexpr std::size_t longest = 8;
  if (values.size() > longest) return fmt::format("{} values", values.size());
  std::string list;
  for (const std::string& value : values) list += (list.empty() ? "" : ", ") + value;
  return list;
}

/// Rows whose runs were told of different numbers of attackers: those are different rules.
std::string about_different_f(const TableSource& source, const TableLayout& layout) {
  std::map<std::int64_t, double> told;
  Statement select(source.view, "SELECT run, value FROM metric WHERE name = 'tolerated_f' AND agent = -1");
  while (select.step()) told.emplace(select.integer(0), select.real(1));
  std::string rows;
  for (std::size_t r = 0; r < layout.rows.size(); ++r) {
    std::set<double> of_row;
    for (const FrameCells& cells : layout.at[r]) {
      for (const FrameCell* cell : cells) {
        if (const auto f = told.find(cell->run); f != told.end()) of_row.insert(f->second);
      }
    }
    if (of_row.size() < 2) continue;
    rows += fmt::format("{}{} ({} to {})", rows.empty() ? "" : ", ", layout.rows[r], *of_row.begin(), *of_row.rbegin());
  }
  if (rows.empty()) return "";
  return fmt::format(
      "Runs of a row were told of different numbers of attackers, and so ran different rules: {}. --metric tolerated_f "
      "shows them; aggregator.tolerated_f fixes them.",
      rows);
}

std::string runs_phrase(std::size_t count) { return fmt::format("{} run{}", count, count == 1 ? "" : "s"); }

}  // namespace

std::vector<std::string> concatenated(const std::vector<std::vector<std::string>>& parts) {
  std::vector<std::string> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::string joined_columns(const std::vector<std::string>& columns) {
  std::string text;
  for (const std::string& column : columns) text += (text.empty() ? "" : " / ") + column;
  return text;
}

std::string title_of(const TableSource& source, const std::string& metric) {
  const MetricInfo info = metric_info(metric);
  const std::string unit = source.percent && info.unit == "share" ? " in %" : "";
  const std::string name = (info.title == metric ? metric : fmt::format("{} ({})", info.title, metric)) + unit;
  return is_of_whole_runs(metric) ? name : fmt::format("{}, {}", name, source.round.of(metric).words());
}

std::vector<std::string> notes_about(const TableSource& source, const TableLayout& layout,
                                     const std::vector<std::string>& aside) {
  std::vector<std::string> notes;
  std::string over;
  for (const std::string& column : concatenated({{"sweep"}, source.frame.differing()})) {
    if (std::ranges::find(aside, column) != aside.end()) continue;
    const std::vector<std::string> values = mixed_values(source, layout, column);
    if (!values.empty()) over += fmt::format("{}{} ({})", over.empty() ? "" : ", ", column, listed(values));
  }
  if (!over.empty()) notes.push_back(fmt::format("Values are taken over {}.", over));

  std::map<std::int64_t, RunStatus> unfinished;
  for (const auto& row : layout.at) {
    for (const FrameCells& cells : row) {
      for (const FrameCell* cell : cells) {
        if (cell->status != RunStatus::done) unfinished.emplace(cell->run, cell->status);
      }
    }
  }
  std::map<RunStatus, std::size_t> counts;
  for (const auto& [run, status] : unfinished) ++counts[status];
  if (!counts.empty()) {
    std::string list;
    for (const auto& [status, count] : counts) {
      list += fmt::format("{}{} {}", list.empty() ? "" : ", ", count, to_string(status));
    }
    notes.push_back(
        fmt::format("{} without a final result, in no value: {}. \"diverged 1/3\" means that one run of "
                    "three diverged; a dash, that no run was started.",
                    runs_phrase(unfinished.size()), list));
  }
  if (const std::string note = about_different_f(source, layout); !note.empty()) notes.push_back(note);
  if (layout.unplaced > 0) {
    notes.push_back(fmt::format("{} cell{} never started and cannot be placed in this table.", layout.unplaced,
                                layout.unplaced == 1 ? "" : "s"));
  }
  notes.insert(notes.end(), source.remarks.begin(), source.remarks.end());
  return notes;
}

}  // namespace souk
