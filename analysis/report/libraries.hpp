#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace souk {

/// A library of the page: minified code for browsers, and its licence.
struct ReportLibrary {
  std::string name, code, licence;
};

/// Where the libraries lie: folder `report` beside the program, or share/souk/report of where it is installed. Empty if
/// they are in neither, because npm was not there when Souk was set up.
std::filesystem::path library_directory();

/// vega, vega-lite and vega-embed, in the order in which they must be loaded; none if one is missing.
std::vector<ReportLibrary> read_libraries(const std::filesystem::path& directory);

/// What a report without them says.
inline constexpr const char* no_libraries =
    "Vega was not there when Souk was set up, so this report has tables but no charts: run setup.sh where npm reaches "
    "its "
    "registry, and write the report again.";

}  // namespace souk
