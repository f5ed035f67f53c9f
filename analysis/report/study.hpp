#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/database.hpp"
#include "sim/engine/run_status.hpp"

namespace souk {

/// A run as the report sees it.
struct StudyRun {
  std::int64_t run = 0;
  std::string id, name, sweep, path, reason, aggregator, attack, seed;
  RunStatus status = RunStatus::missing;
  std::int64_t failures = 0, rounds_done = 0;
  std::optional<double> seconds;         ///< wall clock
  std::optional<double> bytes;           ///< of the simulated protocol's messages
  std::map<std::string, double> finals;  ///< of the whole federation by name, in the last round that recorded them;
                                         ///< of tpr and tnr the mean over the rounds
  std::optional<double> malicious;       ///< share of the clients in attacker groups
  std::optional<double> paid;            ///< credits that clients were paid; none without a market
  double paid_to_attackers = 0.0;        ///< of them
  std::string goal;                      ///< settings of its attacker groups but for size and schedule; empty: none
  /// Whether its numbers are those at the end of a run.
  bool is_done() const { return status == RunStatus::done; }
  bool diverged() const { return status == RunStatus::diverged; }
  /// Whether it goes on, or may be resumed.
  bool unfinished() const { return status == RunStatus::running || status == RunStatus::interrupted; }
  std::optional<double> final_value(const std::string& metric) const;
};

/// A cell: where a run stands in the grid. Cells may share a run.
struct StudyCell {
  std::size_t run = 0;  ///< index into Study::runs
  std::int64_t number = 0;
  std::string rule, attack, seed;
  std::vector<std::string> at;  ///< values on Study::axes
  /// By what it runs, whatever its attack is called. A cell that never started is as others of its attack are; one of
  /// which nothing is known is neither.
  bool clean = false, attacked = false;
};

/// The value of a cell on an axis that its sweep does not have.
inline constexpr const char* no_value = "–";

/// A dimension of the grid beside rule, attack and seed.
struct StudyAxis {
  std::string name;
  std::vector<std::string> values = {};  ///< in the grid's order
  bool numeric = false;                  ///< all values but no_value are numbers
  bool sweeps = false;                   ///< values are names of sweeps, of which no numbers are taken together
};

/// The runs of a report in the dimensions that all its figures share. Rule and attack are the axes of that name where
/// the sweep has them (`aggregator`, `rule`, `defence` or `defense`; `attack` or `attacks`), else what the scenarios
/// say. The first axis is `sweep` if there are several.
struct Study {
  std::vector<StudyRun> runs;
  std::vector<StudyCell> cells;
  std::vector<StudyAxis> axes;
  std::vector<std::string> rules, attacks;  ///< in the grid's order; clean ones first
  std::vector<std::string> rivals;          ///< names of buyers beside the first
  /// Reads the merged view.
  static Study read(const Database& view);
  /// Of some run that counts.
  bool has_metric(const std::string& metric) const;
  /// Whether numbers at the end are taken from a run: those of done ones, and of a run that is all there is.
  bool counts(const StudyRun& run) const { return run.is_done() || (runs.size() == 1 && run.unfinished()); }
  bool has_unfinished() const;
  /// These metrics, and then those of each rival ("buyer.b.accuracy").
  std::vector<std::string> of_every_buyer(const std::vector<std::string>& metrics) const;
  /// The metric by which models are compared, "accuracy", or "r2" where runs have that instead; and its name in
  /// sentences.
  std::string quality() const { return has_metric("r2") && !has_metric("accuracy") ? "r2" : "accuracy"; }
  std::string quality_word() const { return quality() == "r2" ? "R²" : "accuracy"; }
  bool several_sweeps() const { return !axes.empty() && axes.front().sweeps; }
  /// "share 0.3, alpha 0.1": the values of the axes that the cell has.
  std::string place_text(const StudyCell& cell) const;
};

/// Quantities of whole runs among the finals, as run_values has them (analysis/tables/run_values.hpp).
inline constexpr const char* malicious_weight_share = "malicious_weight_share";
inline constexpr const char* malicious_income_share = "malicious_income_share";

}  // namespace souk
