#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <span>

#include "analysis/database.hpp"

namespace souk {

/// Any number of runs and sweeps as one SQLite database; its tables are those of analysis/results/view_schema.hpp
/// (docs/results-schema.md, "The merged view"). Runs are numbered in the order given, cells of a sweep in its own, so
/// equal results give equal tables.
class ResultsView {
 public:
  /// `totals`: of the metrics the rows about the whole federation and all classes; of the tables of rounds and agents
  /// `round` and `traffic` alone. `federation`: of the metrics the rows about the whole federation, and selections and
  /// pairs of nodes only as summaries. `everything`: every row of every run.
  enum class Detail : std::uint8_t { totals, federation, everything };

  /// Loads runs, sweeps, and folders that contain such, in memory. A run that is still being written is read as of its
  /// last committed round; a cell that never started has the status "missing". Runs of another version are left out
  /// with a warning; as cells of a sweep they are "damaged". Throws InputError naming the first place that holds no
  /// results, or holds results that are damaged, or where all are of another version.
  static ResultsView load(std::span<const std::filesystem::path> directories, Detail detail);
  /// The same in a new file, which needs no memory for the rows. Until this returns, the file may be incomplete.
  static ResultsView load_into(const std::filesystem::path& file, std::span<const std::filesystem::path> directories,
                               Detail detail);

  const Database& database() const { return db_; }
  /// How many runs were given more than once: by several sweeps, or on their own as well. They are in the view once.
  std::size_t repeated() const { return repeated_; }

  /// Forgets all other cells, the runs that none of these has, and the values and axes that none lies on.
  void keep(const std::set<std::int64_t>& cells);

  /// Takes out what differs between two runs of one scenario: times, memory, places, versions. What remains is equal
  /// for equal results, however often they were killed and resumed.
  void remove_measurements();

 private:
  explicit ResultsView(Database db) : db_(std::move(db)) {}
  void fill(std::span<const std::filesystem::path> directories, Detail detail);
  Database db_;
  std::size_t repeated_ = 0;
};

}  // namespace souk
