#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/metrics/metric_info.hpp"
#include "analysis/tables/frame.hpp"

namespace souk {

using FrameCells = std::vector<const FrameCell*>;

/// FrameCells dealt to a table's rows and columns by their values in some columns.
struct TableLayout {
  using Values = std::vector<std::string>;  ///< in each of the columns; empty where a cell has none
  std::vector<std::string> rows, cols;      ///< labels; values of several columns are joined by " / "
  std::vector<Values> row_values, col_values;
  std::vector<std::vector<FrameCells>> at;  ///< [row][column]
  std::size_t unplaced = 0;                 ///< cells that never started and whose place nobody can tell
};

/// No column at all is one place for everybody, called "all". FrameCells that started but lack a value are under "–".
/// Throws InputError where a column is named twice.
TableLayout lay_out(const Frame& frame, const std::vector<std::string>& row_columns,
                    const std::vector<std::string>& col_columns);

/// FrameCells dealt by one column, in the order of its labels; those without a value under "–", at the end.
std::vector<std::pair<std::string, FrameCells>> split(const Frame& frame, const FrameCells& cells,
                                                      const std::string& column);

/// What the runs of some cells come to in one quantity. A run that several cells share counts once.
struct RunGroup {
  std::vector<double> values;                 ///< of runs that are done, by number of the run
  std::map<RunStatus, std::size_t> not_done;  ///< runs by status
  std::size_t unrecorded = 0;                 ///< done, without a value
  std::size_t runs = 0;

  /// Whether every run came to an end of its own: done or diverged.
  bool settled() const;
  /// Runs without a final result, for people: "diverged 1/3, failed 1/3"; empty without any.
  std::string mark() const;
  /// What stands in a table where there is no value: "-" where all are missing, "n/a" where nothing was recorded, else
  /// the mark, the status alone where it is that of all runs.
  std::string substitute() const;
};

/// Columns of a CSV row about a group, and its fields: runs in all, those in the value, and what became of the others.
std::vector<std::string> count_columns();
std::vector<std::string> count_fields(const RunGroup& group);

RunGroup collect(const FrameCells& cells, const std::map<std::int64_t, double>& values);

/// A group as one outcome that can be compared: a group in which a run diverged is worse than any number.
struct GroupOutcome {
  enum class Kind : std::uint8_t { value, diverged, unknown };
  Kind kind = Kind::unknown;
  double mean = 0.0;  ///< of the values
  bool is_known() const { return kind != Kind::unknown; }
};

GroupOutcome outcome_of(const RunGroup& group);
/// Whether `a` is worse for the defender; both are known, and one way is better.
bool is_worse(const GroupOutcome& a, const GroupOutcome& b, Better better);

}  // namespace souk
