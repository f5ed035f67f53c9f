#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "analysis/report/figures.hpp"
#include "analysis/report/series.hpp"
#include "analysis/report/vega.hpp"

namespace souk {
namespace {

using vega::Json;

const std::string epsilon_metric = "privacy.epsilon";

/// What privacy may cost, of what the study has.
std::vector<std::string> prices_of(const Study& study) {
  std::vector<std::string> metrics = compared_metrics(study);
  for (const char* more : {"spent_total", "saved_by_noise", "credits_per_epsilon", "sold_without_noise"}) {
    if (study.has_metric(more) && std::ranges::find(metrics, more) == metrics.end()) metrics.emplace_back(more);
  }
  return metrics;
}

/// A row for every place and metric; without an epsilon where nothing bounds what was given away.
DataSet price_data(const Study& study, const std::vector<std::string>& metrics) {
  DataSet data(vega::grid_columns(study, {"metric", "epsilon", "mean"}));
  for (const SeedGroup& group : seed_groups(study, RunsTaken::ended)) {
    const std::optional<double> epsilon = mean_of(study, group, epsilon_metric);
    const bool bounded = epsilon && *epsilon > 0.0;
    for (const std::string& metric : metrics) {
      const std::optional<double> mean = mean_of(study, group, metric);
      if (!mean) continue;
      data.add(vega::grid_values(
          group.cell, {metric, bounded ? ReportValue(*epsilon) : ReportValue(), vega::drawn(metric, *mean)}));
    }
  }
  return data;
}

/// Axes of numbers are what epsilon comes from: their values stand beside each other.
std::string price_spec(const Study& study, const std::vector<std::string>& metrics) {
  std::vector<std::string> titles;
  for (const std::string& metric : metrics) titles.push_back(vega::title_of(metric));
  Json spec = vega::specification();
  spec["params"] = {vega::choice("metric", "Metric", metrics, titles)};
  spec["transform"] = {vega::filter("datum.metric == metric")};
  if (study.attacks.size() > 1) {
    spec["params"].push_back(vega::choice("attack", "Attack in training", study.attacks));
    spec["transform"].push_back(vega::filter("datum.attack == attack"));
  }
  for (std::size_t axis = 0; axis < study.axes.size(); ++axis) {
    if (!study.axes[axis].numeric) vega::choose_axis(spec, study, axis, false);
  }
  spec["title"] = {{"text", {{"expr", vega::by_option("metric", metrics, titles)}}}};
  spec["width"] = "container";
  spec["height"] = 300;
  Json y = vega::channel("mean", "quantitative", "");
  y["scale"] = {{"zero", false}};
  Json encoding = {{"y", y}, {"opacity", vega::faded()}};
  vega::colour_by(encoding, "rule", "rule", study.rules.size());
  encoding["tooltip"] = {vega::line("rule", "rule"), vega::line("epsilon", "epsilon", ".4~g"),
                         vega::line("mean", "mean", ".4~g")};
  Json along = encoding;
  along["x"] = vega::channel("epsilon", "quantitative", "epsilon at the end (logarithmic)");
  along["x"]["scale"] = {{"type", "log"}, {"nice", false}, {"padding", 14}};
  Json points = along;
  points.erase("strokeDash");
  spec["layer"] = {Json{{"params", {vega::legend_choice("rule")}},
                        {"transform", {vega::filter("isValid(datum.epsilon)")}},
                        {"mark", {{"type", "line"}, {"strokeWidth", 2}}},
                        {"encoding", along}},
                   Json{{"transform", {vega::filter("isValid(datum.epsilon)")}},
                        {"mark", {{"type", "point"}, {"filled", true}, {"size", 50}}},
                        {"encoding", points}},
                   Json{{"transform", {vega::filter("!isValid(datum.epsilon)")}},
                        {"mark", {{"type", "rule"}, {"strokeWidth", 1}, {"strokeDash", {2, 3}}}},
                        {"encoding", encoding}}};
  return vega::text_of(spec);
}

}  // namespace

std::vector<Figure> price_of_privacy(const Study& study) {
  std::vector<double> epsilons;
  for (const SeedGroup& group : seed_groups(study, RunsTaken::ended)) {
    const auto epsilon = mean_of(study, group, epsilon_metric);
    if (epsilon && *epsilon > 0.0) epsilons.push_back(*epsilon);
  }
  if (epsilons.empty() || std::ranges::min(epsilons) == std::ranges::max(epsilons)) return {};
  const std::vector<std::string> metrics = prices_of(study);
  if (metrics.empty()) return {};
  return {{.id = "price-of-privacy",
           .title = "The price of privacy",
           .note = std::string("At the end of the runs, by the largest epsilon of a client then; mean over seeds. Thin "
                               "lines are without noise, where no epsilon bounds what was given away.") +
                   unfinished_note(study, RunsTaken::ended),
           .spec = price_spec(study, metrics),
           .data = price_data(study, metrics),
           .metrics = metrics}};
}

}  // namespace souk
