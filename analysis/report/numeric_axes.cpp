#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/report/figures.hpp"
#include "analysis/report/lines.hpp"
#include "analysis/report/series.hpp"
#include "analysis/report/vega.hpp"
#include "sim/stats/summary.hpp"

namespace souk {
namespace {

using vega::Json;

double number_of(const std::string& text) {
  double number = 0.0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::vector<double> numbers_of(const StudyAxis& axis) {
  std::vector<double> numbers;
  for (const std::string& value : axis.values) {
    if (value != no_value) numbers.push_back(number_of(value));
  }
  return numbers;
}

/// Logarithmic where all values are positive and span a decade.
bool is_logarithmic(const StudyAxis& axis) {
  const std::vector<double> numbers = numbers_of(axis);
  const auto [low, high] = std::ranges::minmax(numbers);
  return low > 0.0 && high / low >= 10.0;
}

DataSet axis_data(const Study& study, std::size_t axis, const std::vector<std::string>& metrics) {
  DataSet data(vega::grid_columns(study, {"metric", "x", "mean", "low", "high", "least", "most", "runs"}));
  for (const SeedGroup& group : seed_groups(study, RunsTaken::ended)) {
    if (group.cell.at[axis] == no_value) continue;
    for (const std::string& metric : metrics) {
      std::vector<double> values;
      for (const std::size_t run : group.runs) {
        if (const auto value = study.runs[run].final_value(metric)) values.push_back(vega::drawn(metric, *value));
      }
      if (values.empty()) continue;
      std::vector<ReportValue> row{metric, number_of(group.cell.at[axis])};
      for (ReportValue& value : interval_values(summarise(values))) row.push_back(std::move(value));
      data.add(vega::grid_values(group.cell, std::move(row)));
    }
  }
  return data;
}

/// Whether some rule was run under one attack, in one sweep, at two values or more.
bool is_varied(const Study& study, std::size_t axis) {
  std::map<std::array<std::string, 3>, std::set<std::string>> values;
  for (const StudyCell& cell : study.cells) {
    const std::string& sweep = study.runs[cell.run].sweep;
    if (cell.at[axis] != no_value) values[{sweep, cell.rule, cell.attack}].insert(cell.at[axis]);
  }
  return std::ranges::any_of(values, [](const auto& entry) { return entry.second.size() > 1; });
}

std::string axis_spec(const Study& study, std::size_t axis, const std::vector<std::string>& metrics) {
  std::vector<std::string> titles;
  for (const std::string& metric : metrics) titles.push_back(vega::title_of(metric));
  Json spec = vega::specification();
  spec["params"] = {vega::choice("metric", "Metric", metrics, titles)};
  spec["transform"] = {vega::filter("datum.metric == metric")};
  vega::choose_lines(spec, study, axis);
  const bool bands = has_intervals(seed_groups(study, RunsTaken::ended));
  vega::choose_band(spec, metrics, bands);
  spec["title"] = {{"text", {{"expr", vega::by_option("metric", metrics, titles)}}}};
  spec["width"] = "container";
  spec["height"] = 280;
  const StudyAxis& along = study.axes[axis];
  Json x = vega::channel("x", "quantitative", along.name);
  x["scale"] = {{"type", is_logarithmic(along) ? "log" : "linear"}, {"nice", false}, {"padding", 14}};
  if (!is_logarithmic(along)) x["scale"]["zero"] = false;
  x["axis"] = {{"values", numbers_of(along)}, {"labelOverlap", true}, {"format", ".3~g"}};
  Json y = vega::channel("mean", "quantitative", "");
  y["scale"] = {{"zero", false}};
  Json line = {{"x", x}, {"y", y}, {"opacity", vega::faded()}};
  vega::colour_by_line(line, study, axis);
  Json interval = {{"x", x}, {"y", y}, {"y2", {{"field", "shown_high"}}}, {"opacity", vega::faded(0.12)}};
  interval["color"] = line["color"];
  interval["y"]["field"] = "shown_low";
  Json points = line;
  points.erase("strokeDash");
  points["tooltip"] = {vega::line("line", "line"),         vega::line("x", along.name),
                       vega::line("mean", "mean", ".4~g"), vega::line("low", "95 % from", ".4~g"),
                       vega::line("high", "to", ".4~g"),   vega::line("runs", "runs")};
  spec["layer"] = {Json{{"params", {vega::legend_choice("line")}},
                        {"mark", {{"type", "line"}, {"strokeWidth", 2}}},
                        {"encoding", line}},
                   Json{{"mark", {{"type", "point"}, {"filled", true}, {"size", 50}}}, {"encoding", points}}};
  if (bands) {
    spec["layer"].push_back({{"mark", {{"type", "area"}, {"tooltip", nullptr}}}, {"encoding", interval}});
  }
  return vega::text_of(spec);
}

}  // namespace

std::vector<Figure> numeric_axes(const Study& study) {
  std::vector<Figure> figures;
  const std::vector<std::string> metrics = compared_metrics(study);
  for (std::size_t axis = 0; axis < study.axes.size(); ++axis) {
    if (!study.axes[axis].numeric || !is_varied(study, axis) || metrics.empty()) continue;
    figures.push_back({.id = fmt::format("axis-{}", axis + 1),
                       .title = "Along " + study.axes[axis].name,
                       .note = std::string("At the end of the runs: mean over seeds with its 95 % confidence "
                                           "interval (of shares cut at 0 and 100 %) of three seeds or more, or the "
                                           "range of the seeds.") +
                               unfinished_note(study, RunsTaken::ended),
                       .spec = axis_spec(study, axis, metrics),
                       .data = axis_data(study, axis, metrics),
                       .metrics = metrics});
  }
  return figures;
}

}  // namespace souk
