#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/results/results_view.hpp"
#include "sim/engine/run_status.hpp"

namespace souk {

/// What a run is called in the view.
struct RunName {
  std::int64_t run = 0;
  std::string id;               ///< empty: from its identity
  std::string sweep;            ///< empty: of none
  std::filesystem::path shown;  ///< column `path`
};

/// The runs of a view by what decides their results, so that none counts twice.
class KnownRuns {
 public:
  struct Run {
    std::int64_t number = 0;
    std::string identity;  ///< empty: none was recorded, as of a run that never started
    RunStatus status = RunStatus::missing;
  };
  /// The run of this identity; where one of the two has none, that of this id. Null if there is none.
  Run* find(const std::string& id, const std::string& identity);
  void add(const std::string& id, Run run) { runs_.emplace(id, std::move(run)); }
  /// How many runs were met again, and therefore not entered once more.
  std::size_t repeated = 0;
  /// A sentence for each run that another version of the program wrote.
  std::vector<std::string> of_other_versions = {};

 private:
  std::multimap<std::string, Run> runs_;  ///< by id
};

/// Copies results.sqlite of one run into the view as of one moment, and returns its number there. Where there is none,
/// or nothing was ever stored in it, the run is entered as missing; a cell of a sweep that is damaged, as that. A run
/// that is known already keeps its number; the rows are those of the copy that got further. A run of another version is
/// noted, and entered only as a damaged cell of its sweep: nothing where it has none. Throws InputError naming the file
/// if it is damaged.
std::optional<std::int64_t> copy_run(Database& view, const std::filesystem::path& directory, const RunName& name,
                                     ResultsView::Detail detail, KnownRuns& known);

}  // namespace souk
