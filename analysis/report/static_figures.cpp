#include "analysis/report/static_figures.hpp"

#include <cstddef>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analysis/report/figure_states.hpp"
#include "analysis/report/libraries.hpp"
#include "analysis/results/export.hpp"
#include "sim/base/atomic_file.hpp"
#include "sim/base/contract.hpp"

extern const unsigned char souk_page_render_figures_cjs[];
extern const std::size_t souk_page_render_figures_cjs_size;

namespace souk {
namespace {

namespace fs = std::filesystem;

/// Runs Node and waits; its messages go where ours go. Its exit code, -1 where it could not be started.
int run_node(std::vector<std::string> words) {
  words.insert(words.begin(), "node");
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t process = 0;
  if (posix_spawnp(&process, "node", nullptr, nullptr, arguments.data(), environ) != 0) return -1;
  int status = 0;
  waitpid(process, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// A field of CSV (RFC 4180).
/// Where a program of this name is found; empty: nowhere.
std::string program_in_path(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path file = fs::path(folder) / name;
    if (!folder.empty() && access(file.c_str(), X_OK) == 0 && fs::is_regular_file(file)) return file.string();
  }
  return "";
}

/// The program that makes PDF of SVG: librsvg's where there is one, for it starts faster than a browser.
std::string pdf_program() {
  for (const char* name : {"rsvg-convert", "chromium", "chromium-browser", "google-chrome"}) {
    if (std::string program = program_in_path(name); !program.empty()) return program;
  }
  return "";
}

/// A figure and a state of it.
using Sheet = std::pair<const Figure*, FigureState>;

std::vector<Sheet> sheets_of(const std::vector<const Figure*>& figures) {
  std::vector<Sheet> sheets;
  for (const Figure* figure : figures) {
    for (FigureState& state : states_of(*figure)) sheets.emplace_back(figure, std::move(state));
  }
  SOUK_REQUIRE(sheets.size() <= most_figures,
               "--figures: there would be {} figures, and {} are the most; choose some of the runs with --filter",
               sheets.size(), most_figures);
  return sheets;
}

}  // namespace

WrittenFigures write_figures(const std::vector<const Figure*>& figures, const fs::path& directory) {
  const fs::path libraries = library_directory();
  SOUK_REQUIRE(!libraries.empty(), "--figures: {}", no_libraries);
  SOUK_REQUIRE(run_node({"-e", ""}) == 0, "--figures: Node.js is needed to draw figures (Debian package nodejs)");
  const std::vector<Sheet> sheets = sheets_of(figures);
  fs::create_directories(directory);
  std::string index = "file,figure,metric,place\n";
  std::string files;
  for (const auto& [figure, state] : sheets) {
    const fs::path file = directory / (state.name + ".vl.json");
    write_file_atomically(file, standalone_spec(*figure, state));
    files += file.string() + '\0';
    const auto metric = state.chosen.find("metric");
    index += fmt::format("{},{},{},{}\n", csv_field(state.name), csv_field(figure->title),
                         csv_field(metric == state.chosen.end() ? "" : metric->second), csv_field(state.words));
  }
  write_file_atomically(directory / "index.csv", index);
  const fs::path list = directory / "files.tmp";  // there may be more of them than a command line holds
  write_file_atomically(list, files);
  const std::string script(reinterpret_cast<const char*>(souk_page_render_figures_cjs),
                           souk_page_render_figures_cjs_size);
  const std::string pdf = pdf_program();
  const int exit_code = run_node({"-e", script, "--", libraries.string(), pdf, list.string()});
  fs::remove(list);
  if (exit_code != 0)
    throw std::runtime_error(fmt::format("Node could not draw the figures (exit code {})", exit_code));
  return {.count = sheets.size(),
          .without_pdf = pdf.empty() ? "figures have no PDF: neither rsvg-convert (Debian package librsvg2-bin) nor "
                                       "Chromium is installed"
                                     : ""};
}

}  // namespace souk
