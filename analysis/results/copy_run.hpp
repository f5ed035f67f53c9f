#pragma once

#include <filesystem>
#include <string>

#include "analysis/results/results_view.hpp"

namespace souk {

/// What a run is called in the view.
struct RunName {
  std::int64_t run = 0;
  std::string id;               ///< empty: from its identity
  std::string sweep;            ///< empty: of none
  std::filesystem::path shown;  ///< column `path`
};

/// Copies results.sqlite of one run into the view as of one moment. Where there is none, or nothing was ever stored in
/// it, the run is entered as missing. Throws InputError naming the file if it is damaged or of another version.
void copy_run(Database& view, const std::filesystem::path& directory, const RunName& name, ResultsView::Detail detail);

}  // namespace souk
