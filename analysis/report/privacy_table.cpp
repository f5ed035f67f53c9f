#include <algorithm>
#include <string>
#include <vector>

#include "analysis/report/series.hpp"
#include "analysis/report/tables.hpp"
#include "analysis/report/vega.hpp"
#include "sim/stats/summary.hpp"

namespace souk {
namespace {

const std::string bound = "privacy.clip";  // which every run with the section records

/// Mean over the seeds that have it.
ReportValue mean_of(const Study& study, const SeedGroup& group, const std::string& metric, double factor = 1.0) {
  std::vector<double> values;
  for (const std::size_t run : group.runs) {
    if (const auto value = study.runs[run].final_value(metric)) values.push_back(factor * *value);
  }
  return values.empty() ? ReportValue() : ReportValue(summarise(values).mean);
}

}  // namespace

ReportTable privacy_table(const Study& study) {
  const std::string quality = study.quality();
  const bool percent = quality == "accuracy";
  ReportTable table{
      .id = "privacy",
      .title = "Epsilon and " + study.quality_word(),
      .note =
          "At the end, mean over seeds. Without an epsilon nothing bounds what is given away. docs/privacy.md says "
          "whom it protects, and from whom.",
      .columns = {{"rule"}, {"attack in training"}},
      .data = DataSet(vega::grid_columns(study, {"epsilon", "quality", "clip", "clipped"}))};
  for (const StudyAxis& axis : study.axes) table.columns.push_back({axis.name});
  table.columns.push_back({"epsilon", ".4~g"});
  table.columns.push_back(
      {study.quality_word() + (percent ? " (%)" : ""), percent ? ".1f" : ".4~g", "on the test set"});
  table.columns.push_back({"bound", ".4~g", "length that updates were shortened to in the last round"});
  table.columns.push_back({"shortened (%)", ".1f", "of the updates"});
  for (const SeedGroup& group : seed_groups(study, RunsTaken::ended)) {
    const bool protects = std::ranges::any_of(
        group.runs, [&](std::size_t run) { return study.runs[run].final_value(bound).has_value(); });
    if (!protects) continue;
    table.data.add(vega::grid_values(
        group.cell, {mean_of(study, group, "privacy.epsilon"), mean_of(study, group, quality, percent ? 100.0 : 1.0),
                     mean_of(study, group, bound), mean_of(study, group, "privacy.clipped_share", 100.0)}));
  }
  return table;
}

}  // namespace souk
