#include "analysis/report/tables.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "analysis/metrics/metric.hpp"
#include "analysis/report/series.hpp"
#include "analysis/report/vega.hpp"
#include "analysis/tables/run_values.hpp"
#include "sim/stats/summary.hpp"

namespace souk {
namespace {

std::optional<double> in_percent(const std::optional<double>& share) {
  return share ? std::optional(100.0 * *share) : std::nullopt;
}
std::string result_text(const RuleVerdict& rule) {
  switch (rule.result) {
    case RuleVerdict::Result::held:
      return "held";
    case RuleVerdict::Result::broke:
      return "broke";
    case RuleVerdict::Result::unfinished:
      return "held so far";
    default:
      return "not known";
  }
}

/// Metrics of whole runs that the table of cells shows, where some run has them.
std::vector<std::string> recorded(const Study& study) {
  std::vector<std::string> metrics;
  for (const std::string& metric : study.of_every_buyer(metrics_shown_in("runs"))) {
    if (study.has_metric(metric)) metrics.push_back(metric);
  }
  return metrics;
}

/// Over the runs of a group that have the metric, as it is drawn.
std::optional<double> drawn_mean_of(const Study& study, const SeedGroup& group, const std::string& metric) {
  std::vector<double> values;
  for (const std::size_t run : group.runs) {
    if (const auto value = study.runs[run].final_value(metric)) values.push_back(vega::drawn(metric, *value));
  }
  return values.empty() ? std::nullopt : std::optional(summarise(values).mean);
}

}  // namespace

ReportTable rule_table(const StudyVerdict& verdict) {
  ReportTable table{
      .id = "rules",
      .title = "Rules",
      .note = "",
      .columns = {{"rule"},
                  {"verdict"},
                  {"worst attack", "", fmt::format("the one that cost most {}, mean over seeds", verdict.quality)},
                  {"setting", "", "values of the other axes there"},
                  {fmt::format("{} {} (%)", verdict.against_best ? "reference" : "clean", verdict.quality), ".1f",
                   "in that setting, of the same seeds"},
                  {fmt::format("{} under it (%)", verdict.quality), ".1f"},
                  {"points lost", ".1f"},
                  {"highest attack success (%)", ".1f"},
                  {"by", "", "the attack with that success rate"},
                  {"settings broken", "", "an attack with a value of every other axis is a setting"},
                  {"settings"},
                  {"not compared", "", "cells under attack by the reason"}},
      .data = DataSet({"rule", "verdict", "worst", "setting", "reference", "accuracy", "loss", "asr", "backdoor",
                       "broken", "settings", "not_compared"})};
  for (const RuleVerdict& rule : verdict.rules) {
    table.data.add({rule.rule, result_text(rule), rule.worst_attack, rule.worst_setting,
                    in_percent(rule.worst_reference), in_percent(rule.worst_accuracy), in_percent(rule.worst_loss),
                    in_percent(rule.attack_success), rule.strongest_backdoor, std::int64_t{rule.broken},
                    std::int64_t{rule.settings}, why_not_compared(rule)});
  }
  return table;
}

ReportTable price_table(const StudyVerdict& verdict) {
  ReportTable table{
      .id = "price",
      .title = "What rules cost without an attack",
      .note = "What held under attack is worth as much as what it costs where there is none.",
      .columns = {{"rule"},
                  {fmt::format("clean {} (%)", verdict.quality), ".1f",
                   "without attack, in settings that the mean has as well"},
                  {"price of robustness", ".1f",
                   fmt::format("points of {} that the mean has more there", verdict.quality)},
                  {"success without attack (%)", ".1f", "of attackers that never act: taken off the success above"},
                  {"other f", "", "cells compared with one that ran with another tolerated_f"}},
      .data = DataSet({"rule", "clean", "price", "measured_clean", "other_f"})};
  for (const RuleVerdict& rule : verdict.rules) {
    table.data.add({rule.rule, in_percent(rule.clean_accuracy), in_percent(rule.price), in_percent(rule.measured_clean),
                    std::int64_t{rule.other_f}});
  }
  return table;
}

ReportTable attack_table(const StudyVerdict& verdict) {
  const bool by_sweep = std::ranges::any_of(verdict.attacks, [](const auto& attack) { return !attack.sweep.empty(); });
  std::vector<ReportTable::Column> heads{{"attack"}};
  std::vector<std::string> columns{"attack"};
  if (by_sweep) {
    heads.push_back({"sweep"});
    columns.emplace_back("sweep");
  }
  heads.insert(heads.end(), {{"settings broken", "", "over all rules"},
                             {"mean points lost", ".1f", "over all rules, settings and seeds"},
                             {"highest attack success (%)", ".1f", "mean over seeds of a setting"}});
  columns.insert(columns.end(), {"broken", "loss", "asr"});
  ReportTable table{
      .id = "attacks",
      .title = "Attacks",
      .note = fmt::format("Most harmful first: by settings broken, then by points of {} lost.", verdict.quality),
      .columns = std::move(heads),
      .data = DataSet(std::move(columns))};
  for (const AttackVerdict& attack : verdict.attacks) {
    std::vector<ReportValue> row{attack.attack};
    if (by_sweep) row.emplace_back(attack.sweep);
    row.insert(row.end(), {attack.broken, in_percent(attack.mean_loss), in_percent(attack.attack_success)});
    table.data.add(std::move(row));
  }
  return table;
}

ReportTable buyer_table(const Study& study) {
  std::vector<std::string> columns{"rule", "attack"};
  std::vector<ReportTable::Column> heads{{"rule of the first"}, {"attack"}};
  for (std::size_t axis = 0; axis < study.axes.size(); ++axis) {
    columns.push_back(vega::axis_field(axis));
    heads.push_back({study.axes[axis].name});
  }
  columns.emplace_back("buyer");
  heads.push_back({"buyer"});
  std::vector<std::string> metrics = metrics_shown_in("buyers");
  metrics.insert(metrics.begin(), study.quality());
  for (const std::string& metric : metrics) {
    columns.push_back(metric);
    heads.push_back({vega::title_of(metric), vega::is_share(metric) ? ".1f" : ".4~g"});
  }
  ReportTable table{.id = "buyers",
                    .title = "Buyers",
                    .note = "What became of every buyer's model and money at the end, mean over seeds.",
                    .columns = std::move(heads),
                    .data = DataSet(std::move(columns))};
  if (study.rivals.empty()) return table;
  std::vector<std::string> buyers{""};
  buyers.insert(buyers.end(), study.rivals.begin(), study.rivals.end());
  for (const SeedGroup& group : seed_groups(study, RunsTaken::ended)) {
    for (const std::string& buyer : buyers) {
      std::vector<ReportValue> row{group.cell.rule, group.cell.attack};
      row.insert(row.end(), group.cell.at.begin(), group.cell.at.end());
      row.emplace_back(buyer.empty() ? "first" : buyer);
      bool known = false;
      for (const std::string& metric : metrics) {
        const auto mean =
            drawn_mean_of(study, group, buyer.empty() ? metric : fmt::format("buyer.{}.{}", buyer, metric));
        known = known || mean.has_value();
        row.push_back(mean ? ReportValue(*mean) : ReportValue());
      }
      if (known) table.data.add(std::move(row));
    }
  }
  return table;
}

ReportTable class_table(const Study& study, const Database& view) {
  constexpr std::size_t most_classes = 30;
  const std::vector<std::string> classes = with_classes(view, {"class_accuracy"});
  std::vector<std::string> columns{"rule", "attack"};
  std::vector<ReportTable::Column> heads{{"rule"}, {"attack"}};
  for (std::size_t axis = 0; axis < study.axes.size(); ++axis) {
    columns.push_back(vega::axis_field(axis));
    heads.push_back({study.axes[axis].name});
  }
  const bool shown = classes.front() != "class_accuracy" && classes.size() <= most_classes;
  std::vector<std::map<std::int64_t, double>> of_class;
  for (std::size_t c = 0; shown && c < classes.size(); ++c) {
    columns.push_back(classes[c]);
    heads.push_back({classes[c].substr(classes[c].rfind('.') + 1), ".1f"});
    of_class.push_back(run_values(view, classes[c], {}));
  }
  ReportTable table{.id = "classes",
                    .title = "Test accuracy by class (%)",
                    .note =
                        "Columns are classes: the share of their test samples that the first model knows, at the "
                        "end, mean over seeds.",
                    .columns = std::move(heads),
                    .data = DataSet(std::move(columns))};
  if (!shown) return table;
  for (const SeedGroup& group : seed_groups(study, RunsTaken::ended)) {
    std::vector<ReportValue> row{group.cell.rule, group.cell.attack};
    row.insert(row.end(), group.cell.at.begin(), group.cell.at.end());
    for (const auto& values : of_class) {
      std::vector<double> own;
      for (const std::size_t run : group.runs) {
        const auto value = values.find(study.runs[run].run);
        if (value != values.end()) own.push_back(100.0 * value->second);
      }
      row.push_back(own.empty() ? ReportValue() : ReportValue(summarise(own).mean));
    }
    if (!group.runs.empty()) table.data.add(std::move(row));
  }
  return table;
}

ReportTable cell_table(const Study& study) {
  std::vector<std::string> columns{"run", "id", "name", "rule", "attack"};
  std::vector<ReportTable::Column> heads{{"run"}, {"name"}, {"rule"}, {"attack"}};
  for (std::size_t axis = 0; axis < study.axes.size(); ++axis) {
    columns.push_back(vega::axis_field(axis));
    heads.push_back({study.axes[axis].name});
  }
  for (const char* column : {"seed", "status", "rounds"}) {
    columns.emplace_back(column);
    heads.push_back({column});
  }
  const std::vector<std::string> metrics = recorded(study);
  for (const std::string& metric : metrics) {
    columns.push_back(metric);
    heads.push_back({vega::title_of(metric), vega::is_share(metric) ? ".1f" : ".4~g"});
  }
  columns.insert(columns.end(), {"seconds", "megabytes"});
  heads.push_back({"seconds", ".1f"});
  heads.push_back({"MB sent", ".2f"});

  ReportTable table{.id = "cells",
                    .title = "All cells",
                    .note =
                        "Numbers are those of the last round that recorded them (of updates rejected and kept, the "
                        "mean over the rounds), of runs that are done. A click opens the run.",
                    .columns = std::move(heads),
                    .data = DataSet(std::move(columns)),
                    .run_column = "run"};
  if (study.cells.size() != study.runs.size()) {
    table.note = fmt::format("{} cells in {} runs: cells whose scenarios are equal share one. {}", study.cells.size(),
                             study.runs.size(), table.note);
  }
  for (const StudyCell& cell : study.cells) {
    const StudyRun& run = study.runs[cell.run];
    std::vector<ReportValue> row{run.run, run.id, run.name, cell.rule, cell.attack};
    row.insert(row.end(), cell.at.begin(), cell.at.end());
    row.insert(row.end(), {cell.seed, to_string(run.status), run.rounds_done});
    for (const std::string& metric : metrics) {
      const auto value = study.counts(run) ? run.final_value(metric) : std::nullopt;
      row.push_back(value ? ReportValue(vega::drawn(metric, *value)) : ReportValue());
    }
    row.push_back(run.seconds);
    row.push_back(run.bytes ? ReportValue(*run.bytes * 1e-6) : ReportValue());
    table.data.add(std::move(row));
  }
  return table;
}

ReportTable failure_table(const Study& study) {
  ReportTable table{
      .id = "failures",
      .title = "Cells without a result, and runs that failed on the way",
      .note = "",
      .columns = {{"run"},
                  {"status"},
                  {"reason"},
                  {"failed attempts"},
                  {"rounds done"},
                  {"rule"},
                  {"attack"},
                  {"seed"},
                  {"place"}},
      .data = DataSet({"run", "id", "status", "reason", "failures", "rounds", "rule", "attack", "seed", "place"}),
      .run_column = "run"};
  std::set<std::size_t> seen;
  for (const StudyCell& cell : study.cells) {
    const StudyRun& run = study.runs[cell.run];
    const bool complete = run.status == RunStatus::done || run.status == RunStatus::running;
    if ((complete && run.failures == 0) || !seen.insert(cell.run).second) continue;
    table.data.add({run.run, run.id, to_string(run.status), run.reason, run.failures, run.rounds_done, cell.rule,
                    cell.attack, cell.seed, study.place_text(cell)});
  }
  return table;
}

}  // namespace souk
