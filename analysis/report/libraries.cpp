#include "analysis/report/libraries.hpp"

#include <array>

#include "sim/base/atomic_file.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;

constexpr std::array names{"vega", "vega-lite", "vega-embed"};

bool are_in(const fs::path& directory) {
  for (const char* name : names) {
    if (!fs::exists(directory / (std::string(name) + ".min.js"))) return false;
  }
  return true;
}

}  // namespace

fs::path library_directory() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path& directory : {program / "report", program.parent_path() / "share" / "souk" / "report"}) {
    if (are_in(directory)) return directory;
  }
  return {};
}

std::vector<ReportLibrary> read_libraries(const fs::path& directory) {
  std::vector<ReportLibrary> libraries;
  if (directory.empty() || !are_in(directory)) return libraries;
  for (const std::string name : names) {
    const fs::path licence = directory / (name + ".LICENSE");
    libraries.push_back({name, read_text_file(directory / (name + ".min.js")),
                         fs::exists(licence) ? read_text_file(licence) : std::string()});
  }
  return libraries;
}

}  // namespace souk
