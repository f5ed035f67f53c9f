#include "analysis/results/export.hpp"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "agents/training/saved_model.hpp"
#include "sim/app/subcommands.hpp"
#include "sim/base/atomic_file.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/hash.hpp"
#include "sim/data/tensor_files.hpp"

namespace souk {
namespace {

struct ExportArguments {
  std::vector<std::filesystem::path> directories;
  std::string csv, sqlite, parameters;
  bool federation_only = false;
  bool results_only = false;
};

/// The tensors of a model, which must outlive them.
std::vector<TensorView> tensors_of(const SavedModel& model, const std::string& path) {
  SOUK_REQUIRE(!model.tensors.empty(),
               "{}: its checkpoint is of an older version, which did not name the model's tensors; go on with the run "
               "by --resume, or run it anew",
               path);
  std::vector<TensorView> tensors;
  for (const Slot& slot : model.tensors) {
    tensors.push_back({slot.name, slot.shape, std::span(model.parameters).subspan(slot.offset, slot.size)});
  }
  return tensors;
}

void export_parameters(const std::vector<std::filesystem::path>& runs, const std::filesystem::path& file) {
  const std::string kind = file.extension();
  SOUK_REQUIRE(kind == ".npz" || kind == ".pt", "--parameters {}: must end in .npz or .pt", file.string());
  SOUK_REQUIRE(runs.size() == 1, "--parameters {}: takes the model of one run, and {} are named", file.string(),
               runs.size());
  require_writable(file);
  SOUK_REQUIRE(!std::filesystem::exists(file), "{}: exists already; an export replaces nothing", file.string());
  const std::string run = runs.front().string();
  SOUK_REQUIRE(std::filesystem::exists(run), "{}: there is no such run, checkpoint or archive", run);
  const SavedModel model = saved_model(runs.front());
  const std::vector<TensorView> tensors = tensors_of(model, run);
  kind == ".npz" ? write_npz(file, tensors) : write_pt(file, tensors);
  std::printf("%s\nparameters sha256 %s\n", file.c_str(), sha256_hex(std::span(model.parameters)).c_str());
}

int export_command(const ExportArguments& arguments) {
  SOUK_REQUIRE(!arguments.csv.empty() || !arguments.sqlite.empty() || !arguments.parameters.empty(),
               "say where to: --csv DIR, --sqlite FILE, --parameters FILE, or several of them");
  if (!arguments.parameters.empty()) export_parameters(arguments.directories, arguments.parameters);
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
  CLI::App* command =
      app.add_subcommand("export", "Merge runs and sweeps into one SQLite file, or CSV files; or get a trained model");
  command
      ->add_option("directories", arguments->directories,
                   "Runs, sweeps, or folders that contain such; for --parameters one run, checkpoint or .npz")
      ->required();
  command->add_option("--csv", arguments->csv, "Folder for one CSV file per table and README.md, which explains them");
  command->add_option("--sqlite", arguments->sqlite, "SQLite file with all tables");
  command->add_option("--parameters", arguments->parameters,
                      "File of the trained model, an array for each named tensor: .npz for NumPy and "
                      "server.start_from, .pt for PyTorch");
  command->add_flag(
      "--federation-only", arguments->federation_only,
      "Leave out rows of single clients, processes and pairs of nodes; of clients and pairs there are summaries");
  command->add_flag("--results-only", arguments->results_only,
                    "Leave out measurements (times, memory, places, versions): equal results give equal files");
  command->callback([&chosen, arguments] { chosen.command = [arguments] { return export_command(*arguments); }; });
}

}  // namespace souk
