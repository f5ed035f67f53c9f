#include "sim/app/filter.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis/results/scenario_columns.hpp"
#include "sim/base/contract.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {
namespace {

using Values = std::vector<std::string>;
/// The values that cells have of a name, each once.
using ValuesOf = std::function<Values(const std::string& name)>;

void add_new(Values& values, const std::optional<std::string>& value) {
  if (value && std::ranges::find(values, *value) == values.end()) values.push_back(*value);
}

/// "aggregator: mean, median; attack: none, zero": the names that a condition compares, their values, and which of them
/// may have been meant.
std::string values_in(const Condition& condition, const ValuesOf& values_of) {
  constexpr std::size_t most = 20;
  Values names, texts;
  condition.check_each([&](const Condition::Comparison& comparison) {
    if (std::ranges::find(names, comparison.name) != names.end()) return;
    names.push_back(comparison.name);
    Values values = values_of(comparison.name);
    const bool has_it =
        std::ranges::any_of(values, [&](const std::string& value) { return equal_values(value, comparison.value); });
    const std::string hint = has_it || comparison.sign != "=" ? "" : did_you_mean(comparison.value, values);
    const bool all = values.size() <= most;
    if (!all) values.resize(most);
    texts.push_back(fmt::format("{}: {}{}{}", comparison.name,
                                values.empty() ? "none" : fmt::format("{}", fmt::join(values, ", ")), all ? "" : ", …",
                                hint.empty() ? "" : "." + hint));
  });
  return fmt::format("{}", fmt::join(texts, "; "));
}

/// Axes of a sweep have the values that the condition compares them with.
void require_values_of_axes(const Condition& condition,
                            const std::function<std::optional<Values>(const std::string&)>& values_of_axis) {
  condition.check_each([&](const Condition::Comparison& comparison) {
    if ((comparison.sign != "=" && comparison.sign != "!=") || comparison.value.empty()) return;
    const auto values = values_of_axis(comparison.name);
    if (values) require_value_of_axis(comparison, *values);
  });
}

/// The cells of a plan by the names of results.
class PlannedCells {
 public:
  explicit PlannedCells(const SweepPlan& plan) : plan_(plan), columns_(plan.runs.size()) {
    for (const GridAxis& axis : plan.axes) axes_.insert(axis.name);
  }
  std::optional<std::string> value(const Cell& cell, const std::string& name) {
    SOUK_REQUIRE(name != "status", "--filter: results have a status, and so do tables and reports; cells have none");
    if (axes_.contains(name)) return value_of(plan_, cell, name);
    if (name == "sweep") return plan_.name;
    std::optional<ScenarioColumns>& columns = columns_[cell.run];
    if (!columns) columns = columns_of_scenario(plan_.runs[cell.run].scenario);
    if (auto derived = columns->value(name)) return derived;
    return value_of(plan_, cell, name);
  }

 private:
  const SweepPlan& plan_;
  std::set<std::string> axes_;
  std::vector<std::optional<ScenarioColumns>> columns_;
};

}  // namespace

std::vector<bool> matching_cells(const SweepPlan& plan, const std::string& filter) {
  std::vector<bool> matching(plan.cells.size(), filter.empty());
  if (filter.empty()) return matching;
  const Condition condition = Condition::parse(filter, "--filter");
  require_known_values(plan, condition);
  PlannedCells cells(plan);
  for (std::size_t c = 0; c < plan.cells.size(); ++c) {
    matching[c] = condition.matches([&](const std::string& name) { return cells.value(plan.cells[c], name); });
  }
  if (std::ranges::find(matching, true) == matching.end()) {
    throw_input_error("--filter '{}': no cell matches; there are {}", filter,
                      values_in(condition, [&](const std::string& name) {
                        Values values;
                        for (const Cell& cell : plan.cells) add_new(values, cells.value(cell, name));
                        return values;
                      }));
  }
  return matching;
}

void keep_matching(Frame& frame, const std::string& filter) {
  if (filter.empty()) return;
  const Condition condition = Condition::parse(filter, "--filter");
  require_values_of_axes(condition, [&](const std::string& name) { return frame.values_of_axis(name); });
  Frame matching = frame;
  matching.keep([&](const FrameCell& cell) {
    return condition.matches([&](const std::string& name) { return frame.value(cell, name); });
  });
  if (matching.cells().empty()) {
    throw_input_error("--filter '{}': no run matches; there are {}", filter,
                      values_in(condition, [&](const std::string& name) { return frame.labels(name); }));
  }
  frame = std::move(matching);
}

void keep_matching(ResultsView& view, const std::string& filter) {
  if (filter.empty()) return;
  Frame frame(view.database());
  keep_matching(frame, filter);
  std::set<std::int64_t> cells;
  for (const FrameCell& cell : frame.cells()) cells.insert(cell.cell);
  view.keep(cells);
}

bool filter_names(const std::string& filter, const std::string& name) {
  bool found = false;
  if (filter.empty()) return found;
  Condition::parse(filter, "--filter").check_each([&](const Condition::Comparison& comparison) {
    found = found || comparison.name == name;
  });
  return found;
}

}  // namespace souk
