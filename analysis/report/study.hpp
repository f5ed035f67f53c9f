#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/database.hpp"

namespace souk {

/// A run as the report sees it.
struct StudyRun {
  std::int64_t run = 0;
  std::string id, name, sweep, path, status, reason, aggregator, attack;
  std::int64_t failures = 0, rounds_done = 0;
  std::optional<double> seconds;         ///< wall clock
  std::optional<double> bytes;           ///< of the simulated protocol's messages
  std::map<std::string, double> finals;  ///< of the whole federation, in the last round that recorded them, by name
  /// Whether its numbers are those of a run: done, or still going on. A diverged run has no final accuracy.
  bool counts() const { return status == "done" || status == "running" || status == "interrupted"; }
  bool diverged() const { return status == "diverged"; }
  std::optional<double> final_value(const std::string& metric) const;
};

/// A cell: where a run stands in the grid. Cells may share a run.
struct StudyCell {
  std::size_t run = 0;  ///< index into Study::runs
  std::int64_t number = 0;
  std::string rule, attack, seed;
  std::vector<std::string> at;  ///< values on Study::axes
};

/// The value of a cell on an axis that its sweep does not have.
inline constexpr const char* no_value = "–";

/// A dimension of the grid beside rule, attack and seed.
struct StudyAxis {
  std::string name;
  std::vector<std::string> values;  ///< in the grid's order
  bool numeric = false;             ///< all values but no_value are numbers
};

/// The runs of a report in the dimensions that all its figures share. Rule and attack are the axes of that name where
/// the sweep has them (`aggregator`, `rule`, `defence` or `defense`; `attack` or `attacks`), else what the scenarios
/// say.
struct Study {
  std::vector<StudyRun> runs;
  std::vector<StudyCell> cells;
  std::vector<StudyAxis> axes;
  std::vector<std::string> rules, attacks;  ///< in the grid's order; attack "none" first
  /// Reads the merged view.
  static Study read(const Database& view);
  bool has_metric(const std::string& metric) const;
};

/// Quantities of whole runs among the finals, as run_values has them (analysis/tables/run_values.hpp).
inline constexpr const char* malicious_weight_share = "malicious_weight_share";
inline constexpr const char* malicious_income_share = "malicious_income_share";

}  // namespace souk
