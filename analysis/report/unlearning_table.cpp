#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "analysis/report/series.hpp"
#include "analysis/report/tables.hpp"
#include "analysis/report/vega.hpp"
#include "sim/stats/summary.hpp"

namespace souk {
namespace {

/// A number of a request: "unlearning.NAME.COLUMN".
struct RequestColumn {
  const char *name, *head, *note;
  bool percent;
};
constexpr std::array request_columns{
    RequestColumn{"before.accuracy", "accuracy before (%)", "on the test set", true},
    RequestColumn{"after.accuracy", "after (%)", "by the operator", true},
    RequestColumn{"retrained.accuracy", "retrained (%)", "never saw what is forgotten", true},
    RequestColumn{"before.forgotten_accuracy", "on the forgotten before (%)", "", true},
    RequestColumn{"after.forgotten_accuracy", "after (%)", "", true},
    RequestColumn{"retrained.forgotten_accuracy", "retrained (%)", "", true},
    RequestColumn{"before.asr", "attack success before (%)", "", true},
    RequestColumn{"after.asr", "after (%)", "", true},
    RequestColumn{"retrained.asr", "retrained (%)", "", true},
    RequestColumn{"after.membership_auc", "membership AUC after", "of the forgotten by their loss", false},
    RequestColumn{"retrained.membership_auc", "retrained", "what is to be reached, which need not be 0.5", false},
    RequestColumn{"difference_auc", "AUC of both models", "telling the forgotten by what changed", false},
    RequestColumn{"after.steal_link_auc", "stolen edges after", "AUC of attack 0 of link stealing on forgotten edges",
                  false},
    RequestColumn{"retrained.steal_link_auc", "retrained", "", false},
    RequestColumn{"release_auc", "edges by both models", "AUC of telling forgotten edges by what changed", false},
    RequestColumn{"after.agreement", "agreement (%)", "test units answered as after retraining", true},
    RequestColumn{"floor.agreement", "floor (%)", "the same among retrained models of other seeds", true},
    RequestColumn{"relative_distance", "distance", "from retraining, of that before; says something of convex models",
                  false},
    RequestColumn{"gradients", "gradients", "of single units, computed to forget", false},
    RequestColumn{"megabytes", "MB", "sent to forget", false},
};

constexpr std::string_view family = "unlearning.";

/// Names of requests that any run has numbers of.
std::set<std::string> requests_in(const Study& study) {
  std::set<std::string> names;
  for (const StudyRun& run : study.runs) {
    for (const auto& [name, value] : run.finals) {
      if (!name.starts_with(family)) continue;
      names.insert(name.substr(family.size(), name.find('.', family.size()) - family.size()));
    }
  }
  return names;
}

ReportValue mean_of_column(const Study& study, const SeedGroup& group, const std::string& request,
                           const RequestColumn& column) {
  std::vector<double> values;
  for (const std::size_t run : group.runs) {
    const auto value = study.runs[run].final_value(fmt::format("{}{}.{}", family, request, column.name));
    if (value) values.push_back(column.percent ? 100.0 * *value : *value);
  }
  return values.empty() ? ReportValue() : ReportValue(summarise(values).mean);
}

}  // namespace

ReportTable unlearning_table(const Study& study) {
  std::vector<std::string> columns{"request"};
  for (const RequestColumn& column : request_columns) columns.emplace_back(column.name);
  ReportTable table{.id = "unlearning",
                    .title = "Requests to forget",
                    .note =
                        "The last time that each was carried out, mean over seeds; docs/unlearning.md says what the "
                        "columns mean, docs/metrics.md has the formulas.",
                    .columns = {{"rule"}, {"attack in training"}},
                    .data = DataSet(vega::grid_columns(study, columns))};
  for (const StudyAxis& axis : study.axes) table.columns.push_back({axis.name});
  table.columns.push_back({"request"});
  for (const RequestColumn& column : request_columns) {
    table.columns.push_back({column.head, column.percent ? ".1f" : ".4~g", column.note});
  }
  for (const SeedGroup& group : seed_groups(study, RunsTaken::ended)) {
    for (const std::string& request : requests_in(study)) {
      std::vector<ReportValue> values{request};
      for (const RequestColumn& column : request_columns)
        values.push_back(mean_of_column(study, group, request, column));
      const bool known =
          std::ranges::any_of(values, [](const ReportValue& value) { return value.kind() == ReportValue::Kind::real; });
      if (known) table.data.add(vega::grid_values(group.cell, std::move(values)));
    }
  }
  return table;
}

}  // namespace souk
