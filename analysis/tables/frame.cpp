#include "analysis/tables/frame.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "analysis/results/scenario_columns.hpp"
#include "sim/base/contract.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {
namespace {

constexpr std::array columns_of_runs{"seed",      "name",    "aggregator", "attack", "malicious",
                                     "partition", "dataset", "model",      "status"};

std::optional<double> as_number(const std::string& text) {
  double number = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

Frame::Frame(const Database& view) : view_(&view) {
  Statement cell(view, "SELECT cell, run, cell.sweep, status FROM cell JOIN run USING (run) ORDER BY cell");
  while (cell.step()) {
    cells_.push_back({cell.integer(0), cell.integer(1), cell.text(2), run_status_named(cell.text(3))});
    // Not what the table `run` says: several sweeps may have the run.
    if (!cells_.back().sweep.empty()) coordinates_[cells_.back().cell]["sweep"] = cells_.back().sweep;
  }
  Statement coordinate(view, "SELECT cell, axis, value FROM coordinate");
  while (coordinate.step()) {
    coordinates_[coordinate.integer(0)].insert_or_assign(coordinate.text(1), coordinate.text(2));
    columns_.insert(coordinate.text(1));
  }
  Statement value(view, "SELECT axis, value FROM axis_value ORDER BY sweep, axis, position");
  while (value.step()) {
    auto& known = ordered_[value.text(0)];
    if (std::ranges::find(known, value.text(1)) == known.end()) known.push_back(value.text(1));
  }
  Statement axis(view, "SELECT DISTINCT name FROM axis WHERE sweep != ''");
  while (axis.step()) axes_of_sweeps_.insert(axis.text(0));
  read_runs(view);
  find_differing(view);
}

void Frame::read_runs(const Database& view) {
  columns_.insert("sweep");
  Statement run(view, fmt::format("SELECT run, {} FROM run", fmt::join(columns_of_runs, ", ")));
  while (run.step()) {
    Values& values = derived_[run.integer(0)];
    for (int c = 1; c < run.columns(); ++c) {
      columns_.insert(run.column_name(c));
      if (!run.is_null(c)) values[run.column_name(c)] = run.text(c);
    }
  }
  Statement setting(view, "SELECT run, path, value FROM setting");
  while (setting.step()) {
    settings_[setting.integer(0)].insert_or_assign(setting.text(1), setting.text(2));
    columns_.insert(setting.text(1));
  }
}

void Frame::find_differing(const Database& view) {
  Statement axis(view, "SELECT name FROM axis GROUP BY name ORDER BY min(sweep), min(position)");
  while (axis.step()) differing_.push_back(axis.text(0));
  Statement setting(
      view,
      "SELECT s.path FROM setting s JOIN run r USING (run) WHERE r.sweep = '' AND s.path != 'seed' GROUP BY s.path"
      " HAVING count(DISTINCT value) > 1 OR count(*) <"
      " (SELECT count(*) FROM run WHERE sweep = '' AND status != 'missing') ORDER BY s.path");
  while (setting.step()) differing_.push_back(setting.text(0));
}

void Frame::refuse(const std::string& column) const {
  const std::vector<std::string> known(columns_.begin(), columns_.end());
  std::vector<std::string> main(columns_of_runs.begin(), columns_of_runs.end());
  main.emplace_back("sweep");
  for (const std::string& axis : differing_) {
    if (std::ranges::find(main, axis) == main.end()) main.push_back(axis);
  }
  throw_input_error("there is no column '{}'; there are {}, and the fields of the scenarios.{}", column,
                    fmt::join(main, ", "), did_you_mean(column, known));
}

/// Takes the column for a field as conditions of grids name it; false where no scenario has such a field.
bool Frame::learn(const std::string& column) const {
  std::map<std::int64_t, std::string> values;
  bool exists = false;
  Statement run(*view_, "SELECT run, scenario FROM run WHERE coalesce(scenario, '') != ''");
  try {
    while (run.step()) {
      if (const auto value = field_of_scenario(run.text(1), column)) values.emplace(run.integer(0), *value);
      exists = true;
    }
  } catch (const InputError&) {
    return false;
  }
  if (!exists) return false;
  for (auto& [number, value] : values) settings_[number].insert_or_assign(column, std::move(value));
  columns_.insert(column);
  return true;
}

std::optional<std::vector<std::string>> Frame::values_of_axis(const std::string& column) const {
  return axes_of_sweeps_.contains(column) ? std::optional(ordered_.at(column)) : std::nullopt;
}

std::optional<std::string> Frame::value(const FrameCell& cell, const std::string& column) const {
  if (!columns_.contains(column) && !learn(column)) refuse(column);
  const auto look = [&](const std::map<std::int64_t, Values>& all, std::int64_t key) -> const std::string* {
    const auto values = all.find(key);
    if (values == all.end()) return nullptr;
    const auto found = values->second.find(column);
    return found == values->second.end() ? nullptr : &found->second;
  };
  const std::string* found = look(coordinates_, cell.cell);
  if (found == nullptr) found = look(derived_, cell.run);
  if (found == nullptr) found = look(settings_, cell.run);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

std::vector<std::string> Frame::labels(const std::string& column) const {
  std::vector<std::string> seen;
  for (const FrameCell& cell : cells_) {
    const auto label = value(cell, column);
    if (label && std::ranges::find(seen, *label) == seen.end()) seen.push_back(*label);
  }
  const auto order = ordered_.find(column);
  if (order != ordered_.end()) {
    const auto position = [&](const std::string& label) { return std::ranges::find(order->second, label); };
    std::ranges::stable_sort(seen, {}, position);
  } else if (std::ranges::all_of(seen, [](const std::string& label) { return as_number(label).has_value(); })) {
    std::ranges::stable_sort(seen, {}, [](const std::string& label) { return *as_number(label); });
  }
  return seen;
}

std::vector<std::string> Frame::sweeps() const {
  std::vector<std::string> names;
  for (const FrameCell& cell : cells_) {
    if (std::ranges::find(names, cell.sweep) == names.end()) names.push_back(cell.sweep);
  }
  return names;
}

void Frame::keep(const std::function<bool(const FrameCell&)>& matches) {
  std::erase_if(cells_, [&](const FrameCell& cell) { return !matches(cell); });
}

}  // namespace souk
