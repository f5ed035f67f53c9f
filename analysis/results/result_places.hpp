#pragma once

#include <filesystem>
#include <span>
#include <vector>

namespace souk {

/// A directory with the results of a run or of a sweep.
struct ResultPlace {
  std::filesystem::path path;
  bool is_sweep = false;
};

/// The runs and sweeps that directories are or, one level down, contain: in the order given, those of one folder by
/// name, none twice. A folder of cells belongs to its sweep. Throws InputError for a directory without any.
std::vector<ResultPlace> find_results(std::span<const std::filesystem::path> directories);

}  // namespace souk
