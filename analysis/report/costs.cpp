#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "analysis/report/figures.hpp"
#include "analysis/report/series.hpp"
#include "analysis/report/vega.hpp"
#include "sim/stats/summary.hpp"

namespace souk {
namespace {

using vega::Json;

/// Sweep and rule.
using Bar = std::pair<std::string, std::string>;

/// Runs that count, by the sweep and rule of the first cell they belong to.
std::map<Bar, std::vector<std::int64_t>> runs_by_bar(const Study& study) {
  std::map<Bar, std::vector<std::int64_t>> runs;
  std::set<std::size_t> seen;
  for (const StudyCell& cell : study.cells) {
    const StudyRun& run = study.runs[cell.run];
    const std::string sweep = study.several_sweeps() ? cell.at.front() : "";
    if (study.counts(run) && seen.insert(cell.run).second) runs[{sweep, cell.rule}].push_back(run.run);
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
  std::vector<std::string> columns{"rule", "part", "mean", "runs"};
  if (study.several_sweeps()) columns.push_back(vega::axis_field(0));
  DataSet data(columns);
  for (const auto& [bar, runs] : runs_by_bar(study)) {
    for (const std::string& part : parts) {
      std::vector<double> of_runs;
      for (const std::int64_t run : runs) of_runs.push_back(values[run][part]);
      std::vector<ReportValue> row{bar.second, part, summarise(of_runs).mean,
                                   static_cast<std::int64_t>(of_runs.size())};
      if (study.several_sweeps()) row.emplace_back(bar.first);
      data.add(std::move(row));
    }
  }
  return data;
}

std::string bar_spec(const Study& study, const std::string& x_title, const std::string& part_title) {
  Json spec = vega::specification();
  if (study.several_sweeps()) vega::choose_axis(spec, study, 0, false);
  spec["width"] = "container";
  spec["height"] = 26 * std::max<std::size_t>(study.rules.size(), 2);
  spec["mark"] = {{"type", "bar"}};
  Json x = vega::channel("mean", "quantitative", x_title);
  x["stack"] = "zero";
  x["axis"] = {{"tickCount", 8}};
  Json y = vega::channel("rule", "nominal", "rule");
  y["sort"] = study.rules;
  spec["encoding"] = {{"x", x}, {"y", y}};
  vega::colour_by(spec["encoding"], "part", part_title, 1);
  spec["encoding"]["color"]["legend"] = {{"orient", "bottom"}, {"columns", 5}};
  spec["encoding"]["tooltip"] = {vega::line("rule", "rule"), vega::line("part", part_title),
                                 vega::line("mean", x_title, ".4~g"), vega::line("runs", "runs")};
  return vega::text_of(spec);
}

}  // namespace

std::vector<Figure> costs(const Study& study, const Database& view) {
  std::vector<Figure> figures;
  DataSet phases = means_by_rule(
      study, view, "SELECT run, phase, sum(seconds) FROM phase GROUP BY run, phase ORDER BY run, phase", 1.0);
  if (!phases.empty()) {
    figures.push_back(
        {.id = "phases",
         .title = "Where the time went",
         .note = std::string("Wall-clock seconds of a run by phase, mean over the runs of the rule. A measurement of "
                             "the machine, not a result.") +
                 unfinished_note(study, RunsTaken::ended),
         .spec = bar_spec(study, "seconds per run", "phase"),
         .data = std::move(phases)});
  }
  DataSet traffic = means_by_rule(
      study, view, "SELECT run, kind, sum(bytes) FROM traffic GROUP BY run, kind ORDER BY run, kind", 1e-6);
  if (!traffic.empty()) {
    figures.push_back(
        {.id = "traffic",
         .title = "What was sent",
         .note = std::string("Megabytes (10^6 bytes) of the simulated protocol's messages in a run, mean over the runs "
                             "of the rule.") +
                 unfinished_note(study, RunsTaken::ended),
         .spec = bar_spec(study, "MB per run", "message"),
         .data = std::move(traffic)});
  }
  return figures;
}

}  // namespace souk
