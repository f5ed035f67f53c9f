#include "analysis/report/static_figures.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analysis/report/libraries.hpp"
#include "analysis/report/theme.hpp"
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

/// Sets the parameter, and that of the attack, where there is one, to the first attack that the metric has rows for: a
/// success rate is of backdoors only.
void choose_metric(nlohmann::json& spec, const std::string& metric) {
  const auto has_rows = [&](const nlohmann::json& attack) {
    return std::ranges::any_of(spec["data"]["values"], [&](const nlohmann::json& row) {
      return row["metric"] == metric && row["attack"] == attack;
    });
  };
  for (nlohmann::json& param : spec["params"]) {
    if (param["name"] == "metric") param["value"] = metric;
    if (param["name"] != "attack" || has_rows(param["value"])) continue;
    const nlohmann::json& attacks = param["bind"]["options"];
    if (const auto found = std::ranges::find_if(attacks, has_rows); found != attacks.end()) param["value"] = *found;
  }
}

}  // namespace

std::string standalone_spec(const Figure& figure, const std::string& metric) {
  using Json = nlohmann::json;
  Json spec = Json::parse(figure.spec);
  spec["data"] = {{"values", Json::parse(figure.data.to_rows_json())}};
  spec["config"] = Json::parse(light_theme());
  spec["background"] = "white";
  if (spec["width"] == "container") spec["width"] = 560;
  if (!metric.empty()) choose_metric(spec, metric);
  return spec.dump(1) + "\n";
}

void write_figures(const std::vector<const Figure*>& figures, const fs::path& directory) {
  const fs::path libraries = library_directory();
  SOUK_REQUIRE(!libraries.empty(), "--figures: {}", no_libraries);
  SOUK_REQUIRE(run_node({"-e", ""}) == 0, "--figures: Node.js is needed to draw figures (Debian package nodejs)");
  fs::create_directories(directory);
  const std::string script(reinterpret_cast<const char*>(souk_page_render_figures_cjs),
                           souk_page_render_figures_cjs_size);
  std::vector<std::string> words{"-e", script, "--", libraries.string()};
  for (const Figure* figure : figures) {
    const std::vector<std::string> metrics =
        figure->metrics.size() > 1 ? figure->metrics : std::vector<std::string>{""};
    for (const std::string& metric : metrics) {
      const std::string name = metric.empty() ? figure->id : fmt::format("{}-{}", figure->id, metric);
      const fs::path file = directory / (name + ".vl.json");
      write_file_atomically(file, standalone_spec(*figure, metric));
      words.push_back(file.string());
    }
  }
  const int exit_code = run_node(std::move(words));
  if (exit_code != 0)
    throw std::runtime_error(fmt::format("Node could not draw the figures (exit code {})", exit_code));
}

}  // namespace souk
