#include <algorithm>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "analysis/report/figures.hpp"
#include "analysis/report/vega.hpp"
#include "analysis/statistics/summary.hpp"

namespace souk {
namespace {

using vega::Json;

/// Runs that count, by the rule of the first cell they belong to.
std::map<std::string, std::vector<std::int64_t>> runs_by_rule(const Study& study) {
  std::map<std::string, std::vector<std::int64_t>> runs;
  std::set<std::size_t> seen;
  for (const StudyCell& cell : study.cells) {
    if (study.runs[cell.run].counts() && seen.insert(cell.run).second) {
      runs[cell.rule].push_back(study.runs[cell.run].run);
    }
  }
  return runs;
}

/// Means over the runs of a rule of what `sql` selects: run, part, value. A part that a run does not have is 0 in it.
DataSet means_by_rule(const Study& study, const Database& view, const std::string& sql, double scale) {
  std::map<std::int64_t, std::map<std::string, double>> values;
  std::vector<std::string> parts;
  Statement select(view, sql);
  while (select.step()) {
    values[select.integer(0)][select.text(1)] = select.real(2) * scale;
    if (std::ranges::find(parts, select.text(1)) == parts.end()) parts.push_back(select.text(1));
  }
  DataSet data({"rule", "part", "mean", "runs"});
  const auto runs = runs_by_rule(study);
  for (const std::string& rule : study.rules) {
    const auto found = runs.find(rule);
    if (found == runs.end()) continue;
    for (const std::string& part : parts) {
      std::vector<double> of_runs;
      for (const std::int64_t run : found->second) of_runs.push_back(values[run][part]);
      data.add({rule, part, summarise(of_runs).mean, static_cast<std::int64_t>(of_runs.size())});
    }
  }
  return data;
}

std::string bar_spec(const Study& study, const std::string& x_title, const std::string& part_title) {
  Json spec = vega::specification();
  spec["width"] = "container";
  spec["height"] = 26 * std::max<std::size_t>(study.rules.size(), 2);
  spec["mark"] = {{"type", "bar"}};
  Json x = vega::channel("mean", "quantitative", x_title);
  x["stack"] = "zero";
  Json y = vega::channel("rule", "nominal", "rule");
  y["sort"] = study.rules;
  spec["encoding"] = {{"x", x}, {"y", y}};
  vega::colour_by(spec["encoding"], "part", part_title, 1);
  spec["encoding"]["color"]["legend"] = {{"orient", "bottom"}, {"columns", 8}};
  spec["encoding"]["tooltip"] = {vega::line("rule", "rule"), vega::line("part", part_title),
                                 vega::line("mean", x_title, ".4~g"), vega::line("runs", "runs")};
  return spec.dump();
}

}  // namespace

std::vector<Figure> costs(const Study& study, const Database& view) {
  std::vector<Figure> figures;
  DataSet phases = means_by_rule(
      study, view, "SELECT run, phase, sum(seconds) FROM phase GROUP BY run, phase ORDER BY run, phase", 1.0);
  if (!phases.empty()) {
    figures.push_back({.id = "phases",
                       .title = "Where the time went",
                       .note = "Wall-clock seconds of a run by phase, mean over the runs of the rule. A measurement of "
                               "the machine, not a result.",
                       .spec = bar_spec(study, "seconds per run", "phase"),
                       .data = std::move(phases)});
  }
  DataSet traffic = means_by_rule(
      study, view, "SELECT run, kind, sum(bytes) FROM traffic GROUP BY run, kind ORDER BY run, kind", 1e-6);
  if (!traffic.empty()) {
    figures.push_back({.id = "traffic",
                       .title = "What was sent",
                       .note =
                           "Megabytes (10^6 bytes) of the simulated protocol's messages in a run, mean over the runs "
                           "of the rule.",
                       .spec = bar_spec(study, "MB per run", "message"),
                       .data = std::move(traffic)});
  }
  return figures;
}

}  // namespace souk
