#include "analysis/report/run_pages.hpp"

#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analysis/metrics/metric.hpp"
#include "analysis/report/figures.hpp"
#include "analysis/report/selection_map.hpp"
#include "analysis/report/series.hpp"
#include "analysis/report/vega.hpp"

namespace souk {
namespace {

using vega::Json;

/// Texts that several runs share, by number.
class Shared {
 public:
  std::size_t number_of(std::string text) {
    const auto [place, is_new] = numbers_.try_emplace(text, texts_.size());
    if (is_new) texts_.push_back(std::move(text));
    return place->second;
  }
  std::string json() const { return fmt::format("[{}]", fmt::join(texts_, ",")); }

 private:
  std::vector<std::string> texts_;
  std::map<std::string, std::size_t> numbers_;
};

DataSet rows_of(const Database& view, const std::string& sql, std::int64_t run, std::vector<std::string> columns) {
  DataSet data(std::move(columns));
  Statement select(view, sql);
  select.bind_all(run);
  while (select.step()) {
    std::vector<ReportValue> row;
    for (int i = 0; i < select.columns(); ++i) {
      if (select.is_null(i)) {
        row.emplace_back();
      } else if (select.is_number(i)) {
        const double real = select.real(i);
        const auto integer = select.integer(i);
        row.push_back(static_cast<double>(integer) == real ? ReportValue(integer) : ReportValue(real));
      } else {
        row.emplace_back(select.text(i));
      }
    }
    data.add(std::move(row));
  }
  return data;
}

using CurvesOfRuns = std::map<std::string, std::map<std::int64_t, Series>>;

CurvesOfRuns read_curves(const Database& view) {
  CurvesOfRuns curves;
  for (const std::string& metric : metrics_shown_in("run_page")) curves[metric] = metric_series(view, metric);
  return curves;
}

DataSet curves_of(const CurvesOfRuns& curves, std::int64_t run) {
  DataSet data({"place", "metric", "round", "value"});
  std::int64_t place = 0;
  for (const std::string& metric : metrics_shown_in("run_page")) {
    const auto& series = curves.find(metric)->second;
    const auto found = series.find(run);
    if (found == series.end()) continue;
    ++place;
    for (const std::size_t at : thinned(found->second.size())) {
      const auto& [round, value] = found->second[at];
      data.add({place, vega::title_of(metric), round, vega::drawn(metric, value)});
    }
  }
  return data;
}

/// "krum under badnets, 20 % attackers, seed 1".
std::string what_it_is(const StudyRun& run) {
  if (run.aggregator.empty()) return "";
  const std::string attackers =
      run.malicious.value_or(0.0) > 0.0 ? fmt::format(", {:.4g} % attackers", 100.0 * *run.malicious) : "";
  return fmt::format("{} under {}{}, seed {}", run.aggregator, run.attack, attackers, run.seed);
}

/// Maps of clients by rounds, as long as the page has room for them.
class Maps {
 public:
  Maps(const Study& study, const Database& view) : study_(study), view_(view) {}
  /// Members of the page of a run, with a comma in front; none where nobody was asked.
  std::string of(std::int64_t run) {
    const std::int64_t fields = view_.integer(fmt::format("SELECT count(*) FROM selection_map WHERE run = {}", run));
    if (fields == 0) return "";
    if (fields_ + static_cast<std::size_t>(fields) > most_map_fields) {
      left_out_ = true;
      return "";
    }
    fields_ += static_cast<std::size_t>(fields);
    const SelectionMap map = selection_map(view_, study_, run);
    return fmt::format(R"(,"map":{},"map_note":{},"map_weighed":{},"map_height":{})", map.data.to_columns_json(),
                       json_text(map.note), map.weighed, map.height);
  }
  /// What the pages of runs share.
  std::string json() const {
    const auto kind = [](const std::string& title, const std::string& note, const std::string& spec) {
      return fmt::format(R"({{"title":{},"note":{},"spec":{}}})", json_text(title), json_text(note), spec);
    };
    return fmt::format(R"({{"left_out":{},"decisions":{},"weights":{}}})", left_out_,
                       kind(decision_map_title, decision_map_note, decision_map_spec(study_)),
                       kind(weight_map_title, weight_map_note, weight_map_spec(study_)));
  }

 private:
  const Study& study_;
  const Database& view_;
  std::size_t fields_ = 0;
  bool left_out_ = false;
};

}  // namespace

std::string run_pages_json(const Study& study, const Database& view) {
  Shared deals;
  Maps maps(study, view);
  const CurvesOfRuns curves = read_curves(view);
  std::string pages;
  std::int64_t clients_written = 0;
  bool left_out = false;
  for (const StudyRun& run : study.runs) {
    const DataSet facts =
        rows_of(view, "SELECT name, value FROM fact WHERE run = ? AND name <> 'scenario' ORDER BY name", run.run,
                {"name", "value"});
    std::string scenario;
    Statement select(view, "SELECT coalesce(scenario, '') FROM run WHERE run = ?");
    select.bind_all(run.run);
    if (select.step()) scenario = select.text(0);
    std::string details;
    const std::int64_t clients =
        view.integer(fmt::format("SELECT count(*) FROM agent_summary WHERE run = {}", run.run));
    if (clients_written + clients <= most_client_rows) {
      clients_written += clients;
      const DataSet table = rows_of(
          view,
          "SELECT agent, attacker_group, samples, asked, accepted, weight_sum, update_norm_mean, cosine_mean, "
          "income * 1e-6 FROM agent_summary WHERE run = ? ORDER BY agent",
          run.run,
          {"client", "attacker group", "samples", "asked", "accepted", "weight", "update norm", "cosine", "income"});
      const DataSet deal =
          rows_of(view, "SELECT agent, class, samples FROM partition WHERE run = ? ORDER BY agent, class", run.run,
                  {"client", "class", "samples"});
      details =
          fmt::format(R"(,"clients":{},"deal":{})", table.to_columns_json(), deals.number_of(deal.to_columns_json()));
    } else {
      left_out = true;
    }
    pages += fmt::format(
        R"({}"{}":{{"id":{},"name":{},"what":{},"status":{},"reason":{},"path":{},"scenario":{},"facts":{},"curves":{}{}{}}})",
        pages.empty() ? "" : ",\n", run.run, json_text(run.id), json_text(run.name), json_text(what_it_is(run)),
        json_text(to_string(run.status)), json_text(run.reason), json_text(run.path), json_text(scenario),
        facts.to_columns_json(), curves_of(curves, run.run).to_columns_json(), details, maps.of(run.run));
  }
  return fmt::format(R"({{"runs":{{{}}},"deals":{},"clients_left_out":{},"curve_spec":{},"deal_spec":{},"maps":{}}})",
                     pages, deals.json(), left_out, run_curve_spec(), deal_spec(), maps.json());
}

std::string run_curve_spec() {
  Json spec = vega::specification();
  spec["facet"] = {
      {"field", "metric"}, {"type", "nominal"}, {"title", nullptr}, {"sort", {{"op", "min"}, {"field", "place"}}}};
  spec["columns"] = 3;
  spec["resolve"] = {{"scale", {{"y", "independent"}}}, {"axis", {{"x", "independent"}}}};
  const Json x = vega::round_channel();
  Json y = vega::channel("value", "quantitative", "");
  y["scale"] = {{"zero", false}};
  spec["spec"] = {
      {"width", 240},
      {"height", 130},
      {"mark", {{"type", "line"}, {"point", {{"opacity", 0}, {"size", 60}}}}},
      {"encoding",
       {{"x", x}, {"y", y}, {"tooltip", {vega::line("round", "round"), vega::line("value", "value", ".4~g")}}}}};
  return vega::text_of(spec);
}

std::string deal_spec() {
  Json spec = vega::specification();
  spec["width"] = "container";  // the page gives it a height
  spec["mark"] = {{"type", "rect"}};
  Json colour = vega::channel("samples", "quantitative", "samples");
  colour["scale"] = {{"scheme", "viridis"}};
  Json x = vega::channel("client", "ordinal", "client");
  x["axis"] = {{"labelOverlap", true}, {"labelAngle", 0}};
  Json y = vega::channel("class", "ordinal", "class");
  y["axis"] = {{"labelOverlap", true}};
  spec["encoding"] = {
      {"x", x},
      {"y", y},
      {"color", colour},
      {"tooltip", {vega::line("client", "client"), vega::line("class", "class"), vega::line("samples", "samples")}}};
  return vega::text_of(spec);
}

}  // namespace souk
