#include "analysis/report/vega.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/metrics/metric_info.hpp"
#include "analysis/report/theme.hpp"

namespace souk::vega {
namespace {

/// What is drawn first of a row; nullptr where every row has it.
const char* drawn_column(const DataSet& data) {
  for (const char* column : {"mean", "income"}) {
    if (data.has_column(column)) return column;
  }
  return nullptr;
}

/// The first row of the first metric that has what is drawn, preferably under an attack. Contract: there are rows.
std::size_t first_worth_showing(const Figure& figure, const std::set<std::string>& attacks) {
  const DataSet& data = figure.data;
  const bool has_metrics = !figure.metrics.empty() && data.has_column("metric");
  const char* needed = drawn_column(data);
  const bool has_attack = data.has_column("attack");
  std::size_t best = 0;
  int best_rank = -1;
  for (std::size_t row = 0; row < data.rows() && best_rank < 3; ++row) {
    if (has_metrics && data.at(row, "metric").text() != figure.metrics.front()) continue;
    const bool has_value = needed == nullptr || data.at(row, needed).kind() != ReportValue::Kind::none;
    const bool attacked = !has_attack || attacks.contains(data.at(row, "attack").text());
    const int rank = 2 * static_cast<int>(has_value) + static_cast<int>(attacked);
    if (rank > best_rank) best = row;
    best_rank = std::max(best_rank, rank);
  }
  return best;
}

MetricInfo info_of(const std::string& metric) {
  if (metric == malicious_weight_share) return {"weight of malicious updates", "share", Better::smaller};
  return metric_info(metric);
}

}  // namespace

std::string text_of(const Json& spec) { return spec.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json specification() {
  return {{"$schema", "https://vega.github.io/schema/vega-lite/v5.json"},
          {"data", {{"name", "data"}}},
          {"params", Json::array()},
          {"transform", Json::array()}};
}

Json choice(const std::string& name, const std::string& label, const std::vector<std::string>& options,
            const std::vector<std::string>& labels) {
  Json bind = {{"input", "select"}, {"name", label}, {"options", options}};
  if (!labels.empty()) bind["labels"] = labels;
  return {{"name", name}, {"value", options.front()}, {"bind", bind}};
}

Json filter(const std::string& expression) { return {{"filter", expression}}; }

Json calculate(const std::string& expression, const std::string& as) { return {{"calculate", expression}, {"as", as}}; }

Json channel(const std::string& field, const std::string& type, const std::string& title) {
  return {{"field", field}, {"type", type}, {"title", title}};
}

Json round_channel() {
  Json x = channel("round", "quantitative", "round");
  x["axis"] = {{"tickMinStep", 1}, {"format", "d"}};
  return x;
}

Json line(const std::string& field, const std::string& title, const std::string& format) {
  Json result = {{"field", field}, {"title", title}};
  if (!format.empty()) result.update({{"type", "quantitative"}, {"format", format}});
  return result;
}

void colour_by(Json& encoding, const std::string& field, const std::string& title, std::size_t count) {
  encoding["color"] = channel(field, "nominal", title);
  encoding["color"]["sort"] = nullptr;
  if (count <= category_colours) return;
  Json dashes = Json::array();
  const Json patterns = {{1, 0}, {6, 3}, {2, 2}, {8, 2, 2, 2}};
  for (std::size_t i = 0; i < count; ++i) dashes.push_back(patterns[i / category_colours % patterns.size()]);
  encoding["strokeDash"] = channel(field, "nominal", title);
  encoding["strokeDash"].update({{"sort", nullptr}, {"scale", {{"range", dashes}}}});
}

Json legend_choice(const std::string& field) {
  return {{"name", "shown"}, {"select", {{"type", "point"}, {"fields", {field}}}}, {"bind", "legend"}};
}

Json faded(double otherwise) {
  return {{"condition", {{"param", "shown"}, {"value", otherwise}}}, {"value", 0.08 * otherwise}};
}

std::string by_option(const std::string& name, const std::vector<std::string>& options,
                      const std::vector<std::string>& texts) {
  std::string expression;
  for (std::size_t i = 0; i + 1 < options.size(); ++i) {
    expression += fmt::format("{} == {} ? {} : ", name, json_text(options[i]), json_text(texts[i]));
  }
  return expression + json_text(texts.back());
}

bool is_share(const std::string& metric) { return info_of(metric).unit == "share"; }

double drawn(const std::string& metric, double value) { return is_share(metric) ? 100.0 * value : value; }

std::string title_of(const std::string& metric) {
  const MetricInfo info = info_of(metric);
  const std::string unit = info.unit == "share" ? "%" : info.unit;
  return unit.empty() ? info.title : fmt::format("{} ({})", info.title, unit);
}

void choose_band(Json& spec, const std::vector<std::string>& metrics, bool bands) {
  if (bands) {
    spec["params"].push_back(
        choice("band", "Band", {"interval", "range"}, {"95 % interval of the mean", "range of seeds"}));
  }
  std::vector<std::string> shares;
  for (const std::string& metric : metrics) {
    if (is_share(metric)) shares.push_back(json_text(metric));
  }
  for (const auto& [end, extreme] : {std::pair("low", "least"), std::pair("high", "most")}) {
    spec["transform"].push_back(calculate(
        fmt::format(
            "{3}!isValid(datum.{0}) ? datum.{2} : indexof([{1}], metric) >= 0 ? clamp(datum.{0}, 0, 100) : datum.{0}",
            end, fmt::join(shares, ", "), extreme, bands ? "band == 'range' || " : ""),
        std::string("shown_") + end));
  }
}

std::string axis_field(std::size_t axis) { return fmt::format("axis{}", axis + 1); }

bool can_be_together(const StudyAxis& axis) { return !axis.sweeps; }

void choose_axis(Json& spec, const Study& study, std::size_t axis, bool all) {
  const std::string field = axis_field(axis);
  std::vector<std::string> options = study.axes[axis].values;
  std::vector<std::string> labels = options;
  const bool together = all && can_be_together(study.axes[axis]);
  if (together) {
    options.insert(options.begin(), all_values);
    labels.insert(labels.begin(), "all together");
  }
  spec["params"].push_back(choice(field, study.axes[axis].name, options, labels));
  spec["transform"].push_back(filter(fmt::format("datum.{0} == {0}", field)));
}

void choose_axes(Json& spec, const Study& study, bool all) {
  for (std::size_t i = 0; i < study.axes.size(); ++i) choose_axis(spec, study, i, all);
}

std::string begun_at_data(const Figure& figure, const Study& study) {
  if (figure.data.empty()) return figure.spec;
  std::set<std::string> attacks;
  for (const StudyCell& cell : study.cells) {
    if (cell.attacked) attacks.insert(cell.attack);
  }
  const std::size_t row = first_worth_showing(figure, attacks);
  Json spec = Json::parse(figure.spec);
  for (Json& param : spec["params"]) {
    const std::string name = param["name"];
    const bool is_place = name == "rule" || name == "attack" || name.starts_with("axis");
    if (is_place && param["value"] != all_values) param["value"] = figure.data.at(row, name).text();
  }
  return text_of(spec);
}

std::vector<std::string> grid_columns(const Study& study, const std::vector<std::string>& more) {
  std::vector<std::string> columns{"rule", "attack"};
  for (std::size_t i = 0; i < study.axes.size(); ++i) columns.push_back(axis_field(i));
  columns.insert(columns.end(), more.begin(), more.end());
  return columns;
}

std::vector<ReportValue> grid_values(const StudyCell& cell, std::vector<ReportValue> more) {
  std::vector<ReportValue> row{cell.rule, cell.attack};
  row.insert(row.end(), cell.at.begin(), cell.at.end());
  row.insert(row.end(), more.begin(), more.end());
  return row;
}

}  // namespace souk::vega
