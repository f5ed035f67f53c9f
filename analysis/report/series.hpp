#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/database.hpp"
#include "analysis/report/data_set.hpp"
#include "analysis/report/study.hpp"
#include "sim/stats/summary.hpp"

namespace souk {

/// A number per round, rounds ascending.
using Series = std::vector<std::pair<std::int64_t, double>>;

/// Of every run (by its number) what `sql` selects: run, round, value, ordered by run and round. Rows without value are
/// left out.
std::map<std::int64_t, Series> read_series(const Database& view, const std::string& sql);

/// A metric of the whole federation, by run.
std::map<std::int64_t, Series> metric_series(const Database& view, const std::string& metric);

/// Which runs a figure takes: those whose end counts, for numbers at the end; for what is drawn over rounds those as
/// well that have not ended.
enum class RunsTaken : std::uint8_t { ended, with_unfinished };

/// Cells that differ only in their seed, with the runs that are taken, each once; in the order of cells.
struct SeedGroup {
  StudyCell cell;
  std::vector<std::size_t> runs;
};
std::vector<SeedGroup> seed_groups(const Study& study, RunsTaken taken);

/// Mean of a metric's last values over the runs of the group that have one; none: no run has.
std::optional<double> mean_of(const Study& study, const SeedGroup& group, const std::string& metric);

/// What notes add where some run has not ended; empty where all have. Begins with a space.
std::string unfinished_note(const Study& study, RunsTaken taken);

/// mean, low, high, least, most, runs: low to high is the 95 % confidence interval of the mean, of three values or
/// more; least to most their range.
std::vector<ReportValue> interval_values(const Summary& summary);

/// Adds one row per round of the group that is drawn: the group's columns, `metric`, round, interval_values. A round of
/// which only some runs have a value is the mean of these.
void add_mean_series(const Study& study, const SeedGroup& group, const std::string& metric,
                     const std::map<std::int64_t, Series>& series, DataSet& data);

/// Whether some group has two runs or more, and with them intervals.
bool has_intervals(const std::vector<SeedGroup>& groups);

/// The Vega-Lite specification of such data with columns `curve_columns`: lines are rules or attacks, by the reader's
/// choice; `bands` are the intervals.
std::string curve_spec(const Study& study, const std::vector<std::string>& metrics, bool bands);
std::vector<std::string> curve_columns(const Study& study);

}  // namespace souk
