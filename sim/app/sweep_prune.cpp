#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

#include "analysis/results/scenario_columns.hpp"
#include "sim/app/sweep_catalogue.hpp"
#include "sim/app/sweep_commands.hpp"
#include "sim/app/text_table.hpp"
#include "sim/app/version.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/memory.hpp"
#include "sim/comm/session.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t id_length = 12;

/// Results below cells/ that no cell of the grid asks for.
struct OldRun {
  fs::path directory;
  RunState state{};
  double bytes = 0.0;
  ScenarioColumns is{};  ///< what it was, as far as its results say
};

/// The id of a run's directory, also of one that was set aside ("ID.damaged-1"); empty: a name that is none of ours.
std::string id_of(const fs::path& directory) {
  const std::string name = directory.filename().string();
  const std::string id = name.substr(0, id_length);
  const bool is_id = id.size() == id_length && id.find_first_not_of("0123456789abcdef") == std::string::npos;
  const std::string rest = name.substr(std::min(name.size(), id_length));
  return is_id && (rest.empty() || rest.starts_with(".damaged-")) ? id : "";
}

double bytes_below(const fs::path& directory) {
  double bytes = 0.0;
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(directory, error)) {
    if (entry.is_regular_file(error)) bytes += static_cast<double>(entry.file_size(error));
  }
  return bytes;
}

OldRun look_at_run(const fs::path& directory) {
  OldRun old{.directory = directory, .state = read_run_state(directory), .bytes = bytes_below(directory)};
  old.state.status = shown_status(old.state, directory);
  if (old.state.status == RunStatus::damaged) return old;
  const auto facts = read_run_facts(directory);
  if (const auto scenario = facts.find("scenario"); scenario != facts.end()) {
    try {
      old.is = columns_of_scenario(scenario->second);
    } catch (const InputError&) {  // of a version of the program with other fields
    }
  }
  return old;
}

/// What lies below cells/, against the grid.
struct Leftovers {
  std::vector<OldRun> old;
  std::vector<fs::path> foreign;  ///< neither a run's directory nor anything else that a sweep makes
  std::size_t of_grid = 0;        ///< directories of runs that the grid has
};

Leftovers leftovers_in(const SweepDirectory& directory, const SweepPlan& plan) {
  std::set<std::string> wanted;
  for (const PlannedRun& run : plan.runs) wanted.insert(run.id());
  std::vector<fs::path> entries;
  if (fs::exists(directory.of_runs())) {
    for (const auto& entry : fs::directory_iterator(directory.of_runs())) entries.push_back(entry.path());
  }
  std::sort(entries.begin(), entries.end());
  Leftovers found;
  for (const fs::path& entry : entries) {
    const std::string id = id_of(entry);
    if (id.empty() || !fs::is_directory(entry)) {
      found.foreign.push_back(entry);
    } else if (wanted.contains(id)) {
      ++found.of_grid;
    } else {
      found.old.push_back(look_at_run(entry));
    }
  }
  return found;
}

void print(const std::vector<OldRun>& runs) {
  std::vector<TextRow> rows(
      1, TextRow{"directory", "state", "rounds", "size", "aggregator", "attack", "malicious", "seed"});
  for (const OldRun& run : runs) {
    TextRow row{run.directory.filename().string(), to_string(run.state.status),
                fmt::format("{}", run.state.rounds_done), bytes_text(run.bytes)};
    if (!run.is.aggregator.empty()) {
      row.insert(row.end(), {run.is.aggregator, run.is.attack, fmt::format("{:.4g}", run.is.malicious),
                             fmt::format("{}", run.is.seed)});
    }
    rows.push_back(std::move(row));
  }
  print_table(rows);
}

/// Whether it was: not while somebody is at work in it.
bool remove(const OldRun& run) {
  FileLock lock;
  if (!lock.take(run.directory / "lock")) {
    fmt::print("{}: somebody is at work in it, and it stays\n", run.directory.string());
    return false;
  }
  std::error_code error;
  fs::remove_all(run.directory, error);
  if (error)
    throw std::runtime_error(fmt::format("{}: cannot be removed: {}", run.directory.string(), error.message()));
  return true;
}

}  // namespace

int sweep_prune_command(const SweepArguments& arguments, bool removes) {
  limit_blas_to_one_thread();
  limit_libtorch_to_one_thread();
  const Grid grid = load_grid(arguments.grid);
  SweepPlan plan = expand(grid);
  SweepDirectory directory = directory_of(arguments, plan);
  SOUK_REQUIRE(directory.is_in_place(), "{}: holds no sweep", directory.path().string());
  directory.require_same_name(plan);
  const SweepCatalogue catalogue(Comm::self(), plan,
                                 SweepCatalogue::Keep::nothing);  // which gives runs their identities
  Leftovers found = leftovers_in(directory, plan);
  if (removes) {
    SOUK_REQUIRE(
        found.old.empty() || found.of_grid > 0,
        "{}: no run of the grid is there, so that all would be removed: are this the grid and the data that the "
        "sweep was run with? If nothing in it is wanted, remove the directory",
        directory.path().string());
    directory.open(plan, {});  // nobody else is at work, and the list of cells is the grid's
    found = leftovers_in(directory, plan);
  }
  if (!found.old.empty()) print(found.old);
  for (const fs::path& entry : found.foreign) fmt::print("{}: is no cell's, and stays\n", entry.string());
  double bytes = 0.0;
  for (const OldRun& run : found.old) bytes += run.bytes;
  std::size_t removed = 0;
  for (const OldRun& run : found.old) removed += removes && remove(run) ? 1 : 0;
  fmt::print("{}: {} of the {} runs of the grid, and {} that no cell of it has, {}", directory.path().string(),
             found.of_grid, plan.runs.size(), found.old.size(), bytes_text(bytes));
  if (removes) {
    fmt::print("; {} removed\n", removed);
  } else {
    fmt::print("{}\n", found.old.empty() ? "" : "; nothing was removed: that does --remove");
  }
  return exit_done;
}

}  // namespace souk
