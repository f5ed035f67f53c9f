#pragma once

#include <cstdint>
#include <filesystem>

#include "analysis/results/copy_run.hpp"

namespace souk {

/// Numbers that the next run and cell of a view get.
struct NextNumbers {
  std::int64_t run = 1;
  std::int64_t cell = 1;
};

/// Copies a sweep, its axes and all its cells into the view. Its name gets "#2" and so on behind it where another
/// sweep has it already. Cells whose runs are known share them. Throws InputError naming the file that is damaged or of
/// another version.
void copy_sweep(Database& view, const std::filesystem::path& directory, ResultsView::Detail detail, NextNumbers& next,
                KnownRuns& known);

}  // namespace souk
