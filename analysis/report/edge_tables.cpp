#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <vector>

#include <fmt/format.h>

#include "analysis/report/series.hpp"
#include "analysis/report/tables.hpp"
#include "analysis/report/vega.hpp"
#include "sim/stats/summary.hpp"

namespace souk {
namespace {

/// Columns of the place in the grid, before those of the table.
ReportTable table_by_place(const Study& study, const std::vector<std::string>& columns,
                           const std::vector<ReportTable::Column>& heads) {
  ReportTable table{.id = "",
                    .title = "",
                    .note = "",
                    .columns = {{"rule"}, {"attack in training"}},
                    .data = DataSet(vega::grid_columns(study, columns))};
  for (const StudyAxis& axis : study.axes) table.columns.push_back({axis.name});
  table.columns.insert(table.columns.end(), heads.begin(), heads.end());
  return table;
}

/// A number of an attack in the table of attacks: "edges.ATTACK.NAME".
struct AttackColumn {
  const char *name, *head, *note;
  bool percent;
};
constexpr std::array attack_columns{
    AttackColumn{"auc", "AUC", "area under the ROC curve; 0.5 is a guess", false},
    AttackColumn{"auc_same_class", "AUC within classes", "over pairs of one class, in which classes tell nothing",
                 false},
    AttackColumn{"average_precision", "average precision (%)", "", true},
    AttackColumn{"tpr_at_1pct_fpr", "found at 1 % (%)", "edges found while 1 % of the other pairs are taken for edges",
                 true},
    AttackColumn{"precision", "precision (%)", "of the pairs taken for edges", true},
    AttackColumn{"recall", "recall (%)", "of the pairs taken for edges", true},
    AttackColumn{"f1", "F1 (%)", "of the pairs taken for edges", true},
    AttackColumn{"list_f1", "F1 by list (%)", "mean over the lists of targets", true},
    AttackColumn{"pairs", "pairs", "asked about", false},
    AttackColumn{"pairs_scored", "scored", "pairs that got a score: the others were refused, or not reached", false},
};

/// Mean over the runs of a group that have it, as the table shows it.
ReportValue mean_of_runs(const Study& study, const SeedGroup& group, const std::string& attack,
                         const AttackColumn& column) {
  std::vector<double> values;
  for (const std::size_t run : group.runs) {
    const auto value = study.runs[run].final_value(fmt::format("edges.{}.{}", attack, column.name));
    if (value) values.push_back(column.percent ? 100.0 * *value : *value);
  }
  return values.empty() ? ReportValue() : ReportValue(summarise(values).mean);
}

/// Requests of one kind for one attack.
struct Asked {
  double requests = 0.0, refused = 0.0, credits = 0.0;
};
/// Place of the kind in the order of the schema, attack, principal, kind.
using AskedKey = std::tuple<std::string, std::string, int, std::string>;

int place_of_kind(const std::string& kind) {
  constexpr std::array<std::string_view, 4> kinds{"read", "write", "registration", "edge"};
  return static_cast<int>(std::ranges::find(kinds, kind) - kinds.begin());
}

/// By run.
std::map<std::int64_t, std::map<AskedKey, Asked>> read_requests(const Database& view) {
  std::map<std::int64_t, std::map<AskedKey, Asked>> requests;
  Statement row(
      view,
      "SELECT run, attack, principal, kind, sum(requests), sum(refused), 1e-6 * sum(micro_credits) FROM request"
      " GROUP BY run, attack, principal, kind");
  while (row.step()) {
    requests[row.integer(0)][{row.text(1), row.text(2), place_of_kind(row.text(3)), row.text(3)}] = {
        row.real(4), row.real(5), row.real(6)};
  }
  return requests;
}

}  // namespace

ReportTable edge_table(const Study& study, const Database& view) {
  std::vector<std::string> columns{"inference"};
  std::vector<ReportTable::Column> heads{{"edge attack"}};
  for (const AttackColumn& column : attack_columns) {
    columns.emplace_back(column.name);
    heads.push_back({column.head, column.percent ? ".1f" : ".4~g", column.note});
  }
  ReportTable table = table_by_place(study, columns, heads);
  table.id = "edge-attacks";
  table.title = "Attacks on edges";
  table.note = "What attacks reached at the end, mean over seeds; docs/metrics.md has the formulas.";
  std::vector<std::string> attacks;
  Statement row(view, "SELECT DISTINCT attack FROM pair_rank ORDER BY attack");
  while (row.step()) attacks.push_back(row.text(0));
  for (const SeedGroup& group : seed_groups(study, RunsTaken::ended)) {
    for (const std::string& attack : attacks) {
      std::vector<ReportValue> values{attack};
      for (const AttackColumn& column : attack_columns) values.push_back(mean_of_runs(study, group, attack, column));
      const bool known =
          std::ranges::any_of(values, [](const ReportValue& value) { return value.kind() == ReportValue::Kind::real; });
      if (known) table.data.add(vega::grid_values(group.cell, std::move(values)));
    }
  }
  return table;
}

ReportTable request_table(const Study& study, const Database& view) {
  ReportTable table =
      table_by_place(study, {"inference", "principal", "kind", "requests", "refused", "credits", "runs"},
                     {{"edge attack"},
                      {"principal"},
                      {"kind", "", "read: answers, counted by node; write: changes of features"},
                      {"requests", ".4~g", "refused ones included"},
                      {"refused", ".4~g"},
                      {"credits", ".4~g", "paid for them"},
                      {"runs"}});
  table.id = "requests";
  table.title = "What was asked of the served model";
  table.note = "Requests over the whole run, mean over seeds.";
  const auto requests = read_requests(view);
  for (const SeedGroup& group : seed_groups(study, RunsTaken::ended)) {
    std::map<AskedKey, Asked> sums;
    double runs = 0.0;
    for (const std::size_t run : group.runs) {
      const auto found = requests.find(study.runs[run].run);
      if (found == requests.end()) continue;
      runs += 1.0;
      for (const auto& [key, asked] : found->second) {
        Asked& sum = sums[key];
        sum = {sum.requests + asked.requests, sum.refused + asked.refused, sum.credits + asked.credits};
      }
    }
    for (const auto& [key, sum] : sums) {
      const auto& [attack, principal, place, kind] = key;
      table.data.add(vega::grid_values(group.cell, {attack, principal, kind, sum.requests / runs, sum.refused / runs,
                                                    sum.credits / runs, static_cast<std::int64_t>(runs)}));
    }
  }
  return table;
}

}  // namespace souk
