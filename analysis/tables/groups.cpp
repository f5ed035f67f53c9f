#include "analysis/tables/groups.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "sim/base/contract.hpp"
#include "sim/stats/summary.hpp"

namespace souk {
namespace {

constexpr const char* no_label = "–";

/// The labels of some columns and, for each cell, which of them it has.
class Side {
 public:
  Side(const Frame& frame, const std::vector<std::string>& columns) : frame_(frame), columns_(columns) {
    for (const std::string& column : columns) {
      labels_.push_back(frame.labels(column));
      labels_.back().emplace_back(no_label);
    }
    for (const FrameCell& cell : frame.cells()) {
      if (const auto place = place_of(cell)) places_.insert(*place);
    }
  }
  std::vector<std::string> labels() const {
    std::vector<std::string> joined;
    for (const auto& place : places_) {
      std::string label = columns_.empty() ? "all" : "";
      for (std::size_t c = 0; c < place.size(); ++c) label += (c > 0 ? " / " : "") + labels_[c][place[c]];
      joined.push_back(label);
    }
    return joined;
  }
  std::vector<TableLayout::Values> values() const {
    std::vector<TableLayout::Values> all;
    for (const auto& place : places_) {
      TableLayout::Values& values = all.emplace_back();
      for (std::size_t c = 0; c < place.size(); ++c) {
        const std::string& label = labels_[c][place[c]];
        values.push_back(label == no_label ? "" : label);
      }
    }
    return all;
  }
  /// Nothing for a cell that never started and has no value in some column.
  std::optional<std::size_t> index_of(const FrameCell& cell) const {
    const auto place = place_of(cell);
    if (!place) return std::nullopt;
    return static_cast<std::size_t>(std::distance(places_.begin(), places_.find(*place)));
  }

 private:
  std::optional<std::vector<std::size_t>> place_of(const FrameCell& cell) const {
    std::vector<std::size_t> place;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const auto value = frame_.value(cell, columns_[c]);
      if (!value && cell.status == RunStatus::missing) return std::nullopt;
      const auto label = std::ranges::find(labels_[c], value.value_or(no_label));
      place.push_back(static_cast<std::size_t>(label - labels_[c].begin()));
    }
    return place;
  }
  const Frame& frame_;
  std::vector<std::string> columns_;
  std::vector<std::vector<std::string>> labels_;
  std::set<std::vector<std::size_t>> places_;  ///< in the order of the labels
};

void require_different(std::vector<std::string> columns) {
  std::ranges::sort(columns);
  const auto twice = std::ranges::adjacent_find(columns);
  if (twice != columns.end()) throw_input_error("the rows and columns of a table name '{}' twice", *twice);
}

}  // namespace

TableLayout lay_out(const Frame& frame, const std::vector<std::string>& row_columns,
                    const std::vector<std::string>& col_columns) {
  std::vector<std::string> columns = row_columns;
  columns.insert(columns.end(), col_columns.begin(), col_columns.end());
  require_different(std::move(columns));
  const Side rows(frame, row_columns);
  const Side cols(frame, col_columns);
  TableLayout layout{
      .rows = rows.labels(), .cols = cols.labels(), .row_values = rows.values(), .col_values = cols.values(), .at = {}};
  layout.at.assign(layout.rows.size(), std::vector<FrameCells>(layout.cols.size()));
  for (const FrameCell& cell : frame.cells()) {
    const auto row = rows.index_of(cell);
    const auto col = cols.index_of(cell);
    if (row && col) {
      layout.at[*row][*col].push_back(&cell);
    } else {
      ++layout.unplaced;
    }
  }
  return layout;
}

std::vector<std::pair<std::string, FrameCells>> split(const Frame& frame, const FrameCells& cells,
                                                      const std::string& column) {
  std::vector<std::pair<std::string, FrameCells>> parts;
  for (const std::string& label : frame.labels(column)) parts.emplace_back(label, FrameCells{});
  parts.emplace_back(no_label, FrameCells{});
  for (const FrameCell* cell : cells) {
    const std::string label = frame.value(*cell, column).value_or(no_label);
    std::ranges::find(parts, label, [](const auto& part) { return part.first; })->second.push_back(cell);
  }
  std::erase_if(parts, [](const auto& part) { return part.second.empty(); });
  return parts;
}

bool RunGroup::settled() const {
  return std::ranges::all_of(not_done, [](const auto& entry) { return entry.first == RunStatus::diverged; });
}

std::string RunGroup::mark() const {
  std::string text;
  for (const auto& [status, count] : not_done) {
    text += fmt::format("{}{} {}/{}", text.empty() ? "" : ", ", to_string(status), count, runs);
  }
  return text;
}

std::string RunGroup::substitute() const {
  if (runs == 0) return "";
  if (not_done.empty()) return "n/a";
  if (not_done.begin()->second < runs) return mark();
  const RunStatus status = not_done.begin()->first;
  return status == RunStatus::missing ? "-" : to_string(status);
}

std::vector<std::string> count_columns() { return {"runs", "n", "diverged", "failed", "unfinished"}; }

std::vector<std::string> count_fields(const RunGroup& group) {
  std::size_t diverged = 0;
  std::size_t failed = 0;
  std::size_t unfinished = 0;
  for (const auto& [status, count] : group.not_done) {
    const bool open = status == RunStatus::running || status == RunStatus::interrupted || status == RunStatus::missing;
    (status == RunStatus::diverged ? diverged : open ? unfinished : failed) += count;
  }
  return {std::to_string(group.runs), std::to_string(group.values.size()), std::to_string(diverged),
          std::to_string(failed), std::to_string(unfinished)};
}

RunGroup collect(const FrameCells& cells, const std::map<std::int64_t, double>& values) {
  std::map<std::int64_t, RunStatus> status_of;
  for (const FrameCell* cell : cells) status_of.emplace(cell->run, cell->status);
  RunGroup group;
  group.runs = status_of.size();
  for (const auto& [run, status] : status_of) {
    const auto value = values.find(run);
    if (status != RunStatus::done) {
      ++group.not_done[status];
    } else if (value == values.end()) {
      ++group.unrecorded;
    } else {
      group.values.push_back(value->second);
    }
  }
  return group;
}

GroupOutcome outcome_of(const RunGroup& group) {
  if (group.not_done.contains(RunStatus::diverged)) return {.kind = GroupOutcome::Kind::diverged};
  if (group.values.empty()) return {};
  return {.kind = GroupOutcome::Kind::value, .mean = summarise(group.values).mean};
}

bool is_worse(const GroupOutcome& a, const GroupOutcome& b, Better better) {
  SOUK_EXPECT(a.is_known() && b.is_known() && better != Better::neither);
  if (a.kind == GroupOutcome::Kind::diverged || b.kind == GroupOutcome::Kind::diverged) {
    return a.kind == GroupOutcome::Kind::diverged && b.kind != GroupOutcome::Kind::diverged;
  }
  return better == Better::larger ? a.mean < b.mean : a.mean > b.mean;
}

}  // namespace souk
