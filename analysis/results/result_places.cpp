#include "analysis/results/result_places.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "sim/base/contract.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;

std::optional<ResultPlace> place_at(const fs::path& directory) {
  std::error_code unreadable;
  if (fs::exists(directory / "sweep.sqlite", unreadable)) return ResultPlace{directory, true};
  if (fs::exists(directory / "results.sqlite", unreadable)) return ResultPlace{directory, false};
  return std::nullopt;
}

std::vector<ResultPlace> places_below(const fs::path& directory) {
  std::error_code error;
  fs::directory_iterator entries(directory, error);
  if (error) throw_input_error("{}: {}", directory.string(), error.message());
  std::vector<ResultPlace> places;
  for (const fs::directory_entry& entry : entries) {
    if (const auto place = place_at(entry.path())) places.push_back(*place);
  }
  std::ranges::sort(places, {}, &ResultPlace::path);
  return places;
}

}  // namespace

std::vector<ResultPlace> find_results(std::span<const fs::path> directories) {
  std::vector<ResultPlace> places;
  std::set<fs::path> seen;
  for (const fs::path& directory : directories) {
    const auto place = place_at(directory);
    const std::vector<ResultPlace> found = place ? std::vector{*place} : places_below(directory);
    SOUK_REQUIRE(!found.empty(), "{}: holds no results.sqlite or sweep.sqlite, and no folder in it does",
                 directory.string());
    for (const ResultPlace& one : found) {
      if (seen.insert(fs::canonical(one.path)).second) places.push_back(one);
    }
  }
  return places;
}

}  // namespace souk
