#include "analysis/report/tables.hpp"

#include <array>
#include <set>

#include <fmt/format.h>

#include "analysis/report/vega.hpp"

namespace souk {
namespace {

std::optional<double> percent(const std::optional<double>& share) {
  return share ? std::optional(100.0 * *share) : std::nullopt;
}
std::string result_text(const RuleVerdict& rule) {
  if (rule.result == RuleVerdict::Result::held) return "held";
  if (rule.result == RuleVerdict::Result::broke) return "broke";
  return "held so far";
}

/// Metrics of whole runs that tables show, where some run has them.
constexpr std::array<const char*, 8> run_metrics{
    "accuracy", "loss", "asr", "validation_accuracy", "tpr", "tnr", malicious_weight_share, malicious_income_share};

std::vector<std::string> recorded(const Study& study) {
  std::vector<std::string> metrics;
  for (const char* metric : run_metrics) {
    if (study.has_metric(metric)) metrics.emplace_back(metric);
  }
  return metrics;
}

}  // namespace

ReportTable rule_table(const StudyVerdict& verdict) {
  ReportTable table{.id = "rules",
                    .title = "Rules",
                    .note = "",
                    .columns = {{"rule"},
                                {"verdict"},
                                {"clean accuracy (%)", ".1f", "mean over all cells without attack"},
                                {"worst attack", "", "the one that cost most accuracy, mean over seeds"},
                                {"setting", "", "values of the other axes there"},
                                {"accuracy under it (%)", ".1f"},
                                {"points lost", ".1f"},
                                {"highest attack success (%)", ".1f"},
                                {"by", "", "the attack with that success rate"},
                                {"settings broken", "", "an attack with a value of every other axis is a setting"},
                                {"settings"}},
                    .data = DataSet({"rule", "verdict", "clean", "worst", "setting", "accuracy", "loss", "asr",
                                     "backdoor", "broken", "settings"})};
  for (const RuleVerdict& rule : verdict.rules) {
    table.data.add({rule.rule, result_text(rule), percent(rule.clean_accuracy), rule.worst_attack, rule.worst_setting,
                    percent(rule.worst_accuracy), percent(rule.worst_loss), percent(rule.attack_success),
                    rule.strongest_backdoor, std::int64_t{rule.broken}, std::int64_t{rule.settings}});
  }
  return table;
}

ReportTable attack_table(const StudyVerdict& verdict) {
  ReportTable table{.id = "attacks",
                    .title = "Attacks",
                    .note = "Most harmful first: by settings broken, then by points of accuracy lost.",
                    .columns = {{"attack"},
                                {"settings broken", "", "over all rules"},
                                {"mean points lost", ".1f", "over all rules, settings and seeds"},
                                {"highest attack success (%)", ".1f", "mean over seeds of a setting"}},
                    .data = DataSet({"attack", "broken", "loss", "asr"})};
  for (const AttackVerdict& attack : verdict.attacks) {
    table.data.add(
        {attack.attack, std::int64_t{attack.broken}, percent(attack.mean_loss), percent(attack.attack_success)});
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
                    .note = "Numbers are those of the last round that recorded them. A click opens the run.",
                    .columns = std::move(heads),
                    .data = DataSet(std::move(columns)),
                    .run_column = "run"};
  for (const StudyCell& cell : study.cells) {
    const StudyRun& run = study.runs[cell.run];
    std::vector<ReportValue> row{run.run, run.id, run.name, cell.rule, cell.attack};
    row.insert(row.end(), cell.at.begin(), cell.at.end());
    row.insert(row.end(), {cell.seed, run.status, run.rounds_done});
    for (const std::string& metric : metrics) {
      const auto value = run.final_value(metric);
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
    const bool complete = run.status == "done" || run.status == "running";
    if ((complete && run.failures == 0) || !seen.insert(cell.run).second) continue;
    std::string place;
    for (std::size_t axis = 0; axis < study.axes.size(); ++axis) {
      place += fmt::format("{}{} {}", axis > 0 ? ", " : "", study.axes[axis].name, cell.at[axis]);
    }
    table.data.add({run.run, run.id, run.status, run.reason, run.failures, run.rounds_done, cell.rule, cell.attack,
                    cell.seed, place});
  }
  return table;
}

}  // namespace souk
