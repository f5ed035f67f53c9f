#include <algorithm>
#include <map>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "analysis/metrics/metric_info.hpp"
#include "analysis/report/figures.hpp"
#include "analysis/report/vega.hpp"
#include "analysis/tables/seed_effects.hpp"
#include "sim/stats/summary.hpp"

namespace souk {
namespace {

using vega::Json;

/// Runs that fall into one field of the map.
struct Field {
  StudyCell cell;                                ///< with "all" on the axes that were taken together
  std::map<std::size_t, const StudyCell*> runs;  ///< and a cell of each
};

/// Beyond this many axes, "all together" would multiply the data: 2^axes entries for every cell.
constexpr std::size_t most_axes_together = 4;

/// In the order of cells. Every cell counts at its own place, and where axes are taken together.
std::vector<Field> fields_of(const Study& study) {
  std::vector<Field> fields;
  std::map<std::vector<std::string>, std::size_t> places;
  const std::size_t axes = study.axes.size();
  const std::size_t subsets = axes <= most_axes_together ? std::size_t{1} << axes : 1;
  for (const StudyCell& cell : study.cells) {
    if (cell.rule.empty() || cell.attack.empty()) continue;  // never started: nobody knows where
    for (std::size_t subset = 0; subset < subsets; ++subset) {
      StudyCell place = cell;
      for (std::size_t axis = 0; axis < axes; ++axis) {
        if ((subset >> axis & 1) != 0 && vega::can_be_together(study.axes[axis])) place.at[axis] = vega::all_values;
      }
      std::vector<std::string> key{place.rule, place.attack};
      key.insert(key.end(), place.at.begin(), place.at.end());
      const auto [found, is_new] = places.try_emplace(key, fields.size());
      if (is_new) fields.push_back({place, {}});
      fields[found->second].runs.emplace(cell.run, &cell);
    }
  }
  return fields;
}

/// What is written where there is no number: "diverged 1/3".
std::string states_of_map(const Study& study, const Field& field) {
  std::map<RunStatus, int> states;
  for (const auto& [run, cell] : field.runs) {
    if (!study.counts(study.runs[run])) ++states[study.runs[run].status];
  }
  std::string text;
  for (const auto& [state, count] : states) {
    text += fmt::format("{}{} {}/{}", text.empty() ? "" : ", ", to_string(state), count, field.runs.size());
  }
  return text;
}

DataSet heat_data(const Study& study, const std::vector<std::string>& metrics) {
  DataSet data(vega::grid_columns(study, {"metric", "mean", "worst", "best", "std", "runs", "state"}));
  for (const Field& field : fields_of(study)) {
    for (const std::string& metric : metrics) {
      std::vector<double> values;
      std::vector<SeededValue> seeded;
      for (const auto& [run, cell] : field.runs) {
        const auto value = study.runs[run].final_value(metric);
        if (!study.counts(study.runs[run]) || !value) continue;
        values.push_back(vega::drawn(metric, *value));
        seeded.push_back({fmt::format("{}", fmt::join(cell->at, "\n")), cell->seed, values.back()});
      }
      const Summary summary = summarise(values);
      const bool larger_is_better = metric_info(metric).better == Better::larger;
      const double worst = larger_is_better ? summary.min : summary.max;
      const double best = larger_is_better ? summary.max : summary.min;
      data.add(
          vega::grid_values(field.cell, {metric, summary.mean, worst, best, summarise(seed_effects(seeded)).deviation,
                                         static_cast<std::int64_t>(values.size()), states_of_map(study, field)}));
    }
  }
  return data;
}

/// Colours run from 0 to 100 %, to 20 points for deviations; bright is good.
Json heat_colour(const std::vector<std::string>& metrics) {
  std::vector<std::string> smaller_is_better;
  for (const std::string& metric : metrics) {
    if (metric_info(metric).better != Better::larger) smaller_is_better.push_back(json_text(metric));
  }
  const std::string reverse =
      fmt::format("statistic == 'std' || indexof([{}], metric) >= 0", fmt::join(smaller_is_better, ", "));
  Json colour = vega::channel("value", "quantitative", "%");
  colour["scale"] = {{"scheme", "viridis"},
                     {"domainMin", 0},
                     {"domainMax", {{"expr", "statistic == 'std' ? 20 : 100"}}},
                     {"clamp", true},
                     {"reverse", {{"expr", reverse}}}};
  colour["legend"] = {{"gradientLength", 160}, {"titleOrient", "top"}};
  return {{"condition", Json::array({Json{{"test", "!isValid(datum.value)"}, {"value", "#9aa0a6"}},
                                     Json{{"test", "datum.state != ''"}, {"value", "#d4d8dc"}}})},
          {"field", colour["field"]},
          {"type", colour["type"]},
          {"title", colour["title"]},
          {"scale", colour["scale"]},
          {"legend", colour["legend"]}};
}

std::string heat_spec(const Study& study, const std::vector<std::string>& metrics) {
  std::vector<std::string> titles;
  for (const std::string& metric : metrics) titles.push_back(vega::title_of(metric));
  const std::vector<std::string> statistics{"mean", "worst", "best", "std"};
  const std::vector<std::string> statistic_labels{"mean", "worst", "best", "standard deviation"};
  Json spec = vega::specification();
  spec["params"] = {vega::choice("metric", "Metric", metrics, titles),
                    vega::choice("statistic", "Over runs", statistics, statistic_labels)};
  spec["transform"] = {
      vega::filter("datum.metric == metric"), vega::calculate("datum[statistic]", "value"),
      vega::calculate("isValid(datum.value) ? format(datum.value, '.1f') + (datum.state != '' ? ' †' : "
                      "'') : datum.state != '' ? datum.state : '–'",
                      "shown")};
  vega::choose_axes(spec, study, study.axes.size() <= most_axes_together);
  spec["title"] = {{"text",
                    {{"expr", fmt::format("({}) + ', ' + ({})", vega::by_option("metric", metrics, titles),
                                          vega::by_option("statistic", statistics, statistic_labels))}}}};
  spec["width"] = {{"step", 92}};
  spec["height"] = {{"step", 32}};
  Json x = vega::channel("attack", "nominal", "attack");
  x.update({{"sort", study.attacks}, {"axis", {{"labelAngle", -30}, {"orient", "bottom"}}}});
  Json y = vega::channel("rule", "nominal", "rule");
  y["sort"] = study.rules;
  spec["encoding"] = {{"x", x}, {"y", y}};
  Json tooltip = {vega::line("rule", "rule"),        vega::line("attack", "attack"),
                  vega::line("mean", "mean", ".2f"), vega::line("worst", "worst", ".2f"),
                  vega::line("best", "best", ".2f"), vega::line("std", "standard deviation", ".2f"),
                  vega::line("runs", "runs"),        vega::line("state", "without result")};
  // Viridis is dark in its lower 60 %.
  const std::string dark =
      "isValid(datum.value) && datum.state == '' && (scale('color', datum.value) == null || "
      "luminance(scale('color', datum.value)) < 0.36)";
  spec["layer"] = {
      Json{{"mark",
            {{"type", "rect"}, {"invalid", nullptr}, {"stroke", "white"}, {"strokeWidth", 1}, {"strokeOpacity", 0.5}}},
           {"encoding", {{"color", heat_colour(metrics)}, {"tooltip", tooltip}}}},
      Json{{"mark", {{"type", "text"}, {"fontSize", 13}, {"limit", 88}}},
           {"encoding",
            {{"text", {{"field", "shown"}, {"type", "nominal"}}},
             {"tooltip", tooltip},
             {"color", {{"condition", {{"test", dark}, {"value", "white"}}}, {"value", "#111111"}}}}}}};
  return vega::text_of(spec);
}

}  // namespace

std::vector<std::string> compared_metrics(const Study& study) {
  std::vector<std::string> candidates = metrics_shown_in("robustness");
  candidates.insert(candidates.begin(), study.quality());
  std::vector<std::string> metrics;
  for (const std::string& metric : study.of_every_buyer(candidates)) {
    if (study.has_metric(metric)) metrics.push_back(metric);
  }
  return metrics;
}

std::vector<Figure> heat_maps(const Study& study) {
  const std::vector<std::string> metrics = compared_metrics(study);
  if (metrics.empty() || study.rules.size() * study.attacks.size() < 2) return {};
  return {{.id = "heat",
           .title = "Every rule under every attack",
           .note = "At the end of the runs, over seeds and over the axes taken together. Bright is good for the "
                   "defender. Worst and best are single runs, the standard deviation is that over seeds alone. Pale, "
                   "with a †: some runs have no result, or have not ended, and the number is that of the others, which "
                   "is no result of the cell. Grey: no run with a result, and why.",
           .spec = heat_spec(study, metrics),
           .data = heat_data(study, metrics),
           .metrics = metrics}};
}

}  // namespace souk
