#include "analysis/report/series.hpp"

#include <algorithm>

#include "analysis/report/figures.hpp"
#include "analysis/report/vega.hpp"
#include "sim/stats/summary.hpp"

namespace souk {

std::vector<std::size_t> thinned(std::size_t count) {
  std::vector<std::size_t> kept;
  const std::size_t wanted = std::min(count, most_points);
  for (std::size_t i = 0; i < wanted; ++i) kept.push_back(wanted == 1 ? 0 : i * (count - 1) / (wanted - 1));
  return kept;
}

std::map<std::int64_t, Series> read_series(const Database& view, const std::string& sql) {
  std::map<std::int64_t, Series> series;
  Statement select(view, sql);
  while (select.step()) {
    if (!select.is_null(2)) series[select.integer(0)].emplace_back(select.integer(1), select.real(2));
  }
  return series;
}

std::map<std::int64_t, Series> metric_series(const Database& view, const std::string& metric) {
  std::string quoted;
  for (const char c : metric) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  return read_series(view, "SELECT run, round, value FROM metric WHERE name = '" + quoted +
                               "' AND agent = -1 AND class = -1 ORDER BY run, round");
}

std::vector<SeedGroup> seed_groups(const Study& study, RunsTaken taken) {
  const auto is_taken = [&](const StudyRun& run) {
    return study.counts(run) || (taken == RunsTaken::with_unfinished && run.unfinished());
  };
  std::vector<SeedGroup> groups;
  std::map<std::vector<std::string>, std::size_t> places;
  for (const StudyCell& cell : study.cells) {
    std::vector<std::string> key{cell.rule, cell.attack};
    key.insert(key.end(), cell.at.begin(), cell.at.end());
    const auto [place, is_new] = places.try_emplace(key, groups.size());
    if (is_new) groups.push_back({cell, {}});
    auto& runs = groups[place->second].runs;
    if (is_taken(study.runs[cell.run]) && std::ranges::find(runs, cell.run) == runs.end()) runs.push_back(cell.run);
  }
  return groups;
}

std::optional<double> mean_of(const Study& study, const SeedGroup& group, const std::string& metric) {
  std::vector<double> values;
  for (const std::size_t run : group.runs) {
    if (const auto value = study.runs[run].final_value(metric)) values.push_back(*value);
  }
  return values.empty() ? std::nullopt : std::optional(summarise(values).mean);
}

std::string unfinished_note(const Study& study, RunsTaken taken) {
  if (!study.has_unfinished()) return "";
  if (study.runs.size() == 1) return " The run has not ended: this is as far as it got.";
  return taken == RunsTaken::ended ? " Runs that have not ended are in no number."
                                   : " Runs that have not ended are in it as far as they got: of later rounds, the "
                                     "mean is that of the others.";
}

bool has_intervals(const std::vector<SeedGroup>& groups) {
  return std::ranges::any_of(groups, [](const SeedGroup& group) { return group.runs.size() > 1; });
}

std::vector<ReportValue> interval_values(const Summary& summary) {
  constexpr std::size_t fewest = 3;  // of two values Student's t makes an interval of 12.7 deviations
  const bool has_interval = summary.count >= fewest;
  return {summary.mean,
          has_interval ? ReportValue(summary.mean - summary.ci95) : ReportValue(),
          has_interval ? ReportValue(summary.mean + summary.ci95) : ReportValue(),
          summary.min,
          summary.max,
          static_cast<std::int64_t>(summary.count)};
}

void add_mean_series(const Study& study, const SeedGroup& group, const std::string& metric,
                     const std::map<std::int64_t, Series>& series, DataSet& data) {
  std::map<std::int64_t, std::vector<double>> by_round;
  for (const std::size_t run : group.runs) {
    const auto found = series.find(study.runs[run].run);
    if (found == series.end()) continue;
    for (const auto& [round, value] : found->second) by_round[round].push_back(vega::drawn(metric, value));
  }
  std::vector<std::int64_t> rounds;
  for (const auto& [round, values] : by_round) rounds.push_back(round);
  for (const std::size_t at : thinned(rounds.size())) {
    const Summary summary = summarise(by_round.at(rounds[at]));
    std::vector<ReportValue> row{metric, rounds[at]};
    for (ReportValue& value : interval_values(summary)) row.push_back(std::move(value));
    data.add(vega::grid_values(group.cell, std::move(row)));
  }
}

}  // namespace souk
