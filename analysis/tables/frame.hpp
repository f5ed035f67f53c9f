#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "analysis/database.hpp"
#include "sim/engine/run_status.hpp"

namespace souk {

/// A cell of a sweep, or a run outside sweeps. FrameCells may share a run.
struct FrameCell {
  std::int64_t cell = 0, run = 0;
  std::string sweep;  ///< empty: none
  RunStatus status = RunStatus::missing;
};

/// The cells of a merged view, which must outlive it, and what they are called: by the axes of their sweep, the derived
/// columns of the table `run` (aggregator, attack, …), and the fields of their scenarios ("partition.dirichlet.alpha",
/// and as the conditions of grids name them, "attack.fraction"). An axis hides a derived column of its name, and that a
/// field.
class Frame {
 public:
  explicit Frame(const Database& view);

  const std::vector<FrameCell>& cells() const { return cells_; }
  /// Nothing where the cell has none: its sweep lacks the axis, its scenario the field, or it never started. Throws
  /// InputError where no cell at all has such a column.
  std::optional<std::string> value(const FrameCell& cell, const std::string& column) const;
  /// Values of a column in the order of the axis; of other columns ascending if they are numbers, else in the order of
  /// the cells.
  std::vector<std::string> labels(const std::string& column) const;
  /// The values of an axis of a sweep in its order, whether or not a cell has them; nothing of any other column.
  std::optional<std::vector<std::string>> values_of_axis(const std::string& column) const;
  /// Columns by which cells can differ: axes, and for runs outside sweeps fields that are not equal in all of them.
  const std::vector<std::string>& differing() const { return differing_; }
  /// The sweeps of the cells, each once; an empty name stands for runs outside sweeps.
  std::vector<std::string> sweeps() const;
  /// Forgets the cells that do not match.
  void keep(const std::function<bool(const FrameCell&)>& matches);

 private:
  using Values = std::map<std::string, std::string>;
  void read_runs(const Database& view);
  void find_differing(const Database& view);
  bool learn(const std::string& column) const;
  [[noreturn]] void refuse(const std::string& column) const;

  const Database* view_;
  std::vector<FrameCell> cells_;
  std::map<std::int64_t, Values> coordinates_;               ///< by cell
  std::map<std::int64_t, Values> derived_;                   ///< by run
  mutable std::map<std::int64_t, Values> settings_;          ///< by run; other names of fields once they were asked for
  std::map<std::string, std::vector<std::string>> ordered_;  ///< values of axes in their order
  std::set<std::string> axes_of_sweeps_;
  mutable std::set<std::string> columns_;  ///< all there are, and other names of fields
  std::vector<std::string> differing_;
};

}  // namespace souk
