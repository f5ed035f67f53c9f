#include "analysis/results/export.hpp"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "sim/app/subcommands.hpp"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

struct ExportArguments {
  std::vector<std::filesystem::path> directories;
  std::string csv, sqlite;
  bool federation_only = false;
  bool results_only = false;
};

int export_command(const ExportArguments& arguments) {
  SOUK_REQUIRE(!arguments.csv.empty() || !arguments.sqlite.empty(), "say where to: --csv DIR, --sqlite FILE, or both");
  const ExportOptions options{
      .detail = arguments.federation_only ? ResultsView::Detail::federation : ResultsView::Detail::everything,
      .results_only = arguments.results_only};
  if (!arguments.sqlite.empty()) {
    export_sqlite(arguments.directories, arguments.sqlite, options);
    std::printf("%s\n", arguments.sqlite.c_str());
  }
  if (!arguments.csv.empty()) {
    export_csv(arguments.directories, arguments.csv, options);
    std::printf("%s\n", arguments.csv.c_str());
  }
  return exit_done;
}

}  // namespace

void add_export(CLI::App& app, ChosenCommand& chosen) {
  const auto arguments = std::make_shared<ExportArguments>();
  CLI::App* command = app.add_subcommand("export", "Merge runs and sweeps into one SQLite file, or CSV files");
  command->add_option("directories", arguments->directories, "Runs, sweeps, or folders that contain such")->required();
  command->add_option("--csv", arguments->csv, "Folder for one CSV file per table and README.md, which explains them");
  command->add_option("--sqlite", arguments->sqlite, "SQLite file with all tables");
  command->add_flag(
      "--federation-only", arguments->federation_only,
      "Leave out rows of single clients, processes and pairs of nodes; of clients and pairs there are summaries");
  command->add_flag("--results-only", arguments->results_only,
                    "Leave out measurements (times, memory, places, versions): equal results give equal files");
  command->callback([&chosen, arguments] { chosen.command = [arguments] { return export_command(*arguments); }; });
}

}  // namespace souk
