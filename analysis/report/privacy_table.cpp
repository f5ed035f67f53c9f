#include <optional>
#include <string>

#include "analysis/report/series.hpp"
#include "analysis/report/tables.hpp"
#include "analysis/report/vega.hpp"

namespace souk {
namespace {

const std::string bound = "privacy.clip";  // which every run with the section records

ReportValue mean_times(double factor, const Study& study, const SeedGroup& group, const std::string& metric) {
  const std::optional<double> mean = mean_of(study, group, metric);
  return mean ? ReportValue(factor * *mean) : ReportValue();
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
    if (!mean_of(study, group, bound)) continue;
    table.data.add(vega::grid_values(
        group.cell,
        {mean_times(1.0, study, group, "privacy.epsilon"), mean_times(percent ? 100.0 : 1.0, study, group, quality),
         mean_times(1.0, study, group, bound), mean_times(100.0, study, group, "privacy.clipped_share")}));
  }
  return table;
}

}  // namespace souk
