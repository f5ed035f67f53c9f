#include <nlohmann/json.hpp>

#include "analysis/metrics/metric.hpp"
#include "analysis/report/figures.hpp"
#include "analysis/report/lines.hpp"
#include "analysis/report/series.hpp"
#include "analysis/report/vega.hpp"

namespace souk {
namespace {

using vega::Json;

std::string heading(const std::vector<std::string>& metrics) {
  std::vector<std::string> titles;
  for (const std::string& metric : metrics) titles.push_back(vega::title_of(metric));
  return vega::by_option("metric", metrics, titles);
}

}  // namespace

std::vector<std::string> curve_columns(const Study& study) {
  return vega::grid_columns(study, {"metric", "round", "mean", "low", "high", "least", "most", "runs"});
}

std::string curve_spec(const Study& study, const std::vector<std::string>& metrics, bool bands) {
  std::vector<std::string> titles;
  for (const std::string& metric : metrics) titles.push_back(vega::title_of(metric));
  Json spec = vega::specification();
  spec["params"] = {vega::choice("metric", "Metric", metrics, titles)};
  spec["transform"] = {vega::filter("datum.metric == metric")};
  vega::choose_lines(spec, study);
  vega::choose_band(spec, metrics, bands);
  spec["title"] = {{"text", {{"expr", heading(metrics)}}}};
  spec["width"] = "container";
  spec["height"] = 300;
  Json x = vega::round_channel();
  x["scale"] = {{"zero", false}, {"nice", false}};
  Json y = vega::channel("mean", "quantitative", "");
  y["scale"] = {{"zero", false}};
  Json line = {{"x", x}, {"y", y}, {"opacity", vega::faded()}};
  vega::colour_by_line(line, study);
  Json band = {{"x", x}, {"y", y}, {"y2", {{"field", "shown_high"}}}, {"opacity", vega::faded(0.14)}};
  band["color"] = line["color"];
  band["y"]["field"] = "shown_low";
  Json hover = line;
  hover.update(
      {{"opacity", {{"value", 0}}},
       {"tooltip",
        {vega::line("line", "line"), vega::line("round", "round"), vega::line("mean", "mean", ".4~g"),
         vega::line("low", "95 % from", ".4~g"), vega::line("high", "to", ".4~g"),
         vega::line("least", "smallest", ".4~g"), vega::line("most", "largest", ".4~g"), vega::line("runs", "runs")}}});
  hover.erase("strokeDash");
  // Lines first: the legend takes its looks from the first layer.
  spec["layer"] = {Json{{"params", {vega::legend_choice("line")}},
                        {"mark", {{"type", "line"}, {"strokeWidth", 2}}},
                        {"encoding", line}},
                   Json{{"mark", {{"type", "point"}, {"filled", true}, {"size", 90}}}, {"encoding", hover}}};
  if (bands) spec["layer"].push_back({{"mark", {{"type", "area"}, {"tooltip", nullptr}}}, {"encoding", band}});
  return vega::text_of(spec);
}

std::vector<Figure> curves(const Study& study, const Database& view) {
  DataSet data(curve_columns(study));
  std::vector<std::string> metrics;
  const std::vector<SeedGroup> groups = seed_groups(study, RunsTaken::with_unfinished);
  for (const std::string& metric : study.of_every_buyer(metrics_shown_in("curves"))) {
    const std::size_t before = data.rows();
    const auto series = metric_series(view, metric);
    for (const SeedGroup& group : groups) add_mean_series(study, group, metric, series, data);
    if (data.rows() > before) metrics.push_back(metric);
  }
  if (metrics.empty()) return {};
  return {{.id = "curves",
           .title = "Over rounds",
           .note = std::string(
                       "Mean over the seeds of a setting; bands are 95 % confidence intervals of the mean (of shares "
                       "cut at 0 and 100 %) of three seeds or more, and the range of fewer; or, by choice, the range "
                       "always. A click in the legend keeps one line.") +
                   unfinished_note(study, RunsTaken::with_unfinished),
           .spec = curve_spec(study, metrics, has_intervals(groups)),
           .data = std::move(data),
           .metrics = metrics}};
}

}  // namespace souk
