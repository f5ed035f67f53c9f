#include <algorithm>
#include <cstdio>
#include <map>

#include <fmt/ranges.h>

#include "analysis/database.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/app/advice.hpp"
#include "sim/app/duration_text.hpp"
#include "sim/app/sweep_catalogue.hpp"
#include "sim/app/sweep_commands.hpp"
#include "sim/app/sweep_screen.hpp"
#include "sim/app/text_table.hpp"
#include "sim/app/version.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/log.hpp"
#include "sim/base/memory.hpp"
#include "sim/comm/session.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk {
namespace {

/// A grid with the identities of its runs and what became of them.
struct Survey {
  Grid grid;
  SweepPlan plan;
  std::unique_ptr<SweepCatalogue> catalogue;
  SweepDirectory directory{""};
  std::vector<std::size_t> runs;  ///< chosen ones
  std::map<std::size_t, RunState> states;
};

Survey survey_of(const SweepArguments& arguments, SweepCatalogue::Keep keep = SweepCatalogue::Keep::nothing) {
  limit_blas_to_one_thread();
  limit_libtorch_to_one_thread();
  Survey found;
  found.grid = load_grid(arguments.grid);
  found.plan = expand(found.grid);
  found.catalogue = std::make_unique<SweepCatalogue>(Comm::self(), found.plan, keep);
  found.directory = directory_of(arguments, found.plan);
  found.directory.require_same_name(found.plan);
  found.runs = chosen_runs(arguments, found.plan);
  for (const std::size_t run : found.runs) {
    const auto path = found.directory.of_run(found.plan.runs[run].id());
    RunState state = read_run_state(path);
    state.status = shown_status(state, path);
    const bool other = state.status == RunStatus::done && !state.complete(found.plan.runs[run].identity);
    if (other) state = RunState();  // of another version of the program or its data
    found.states.emplace(run, std::move(state));
  }
  return found;
}

/// The runs whose id begins with `id`; exactly one, or InputError.
std::size_t run_of(const Survey& found, const std::string& id) {
  std::vector<std::size_t> matching;
  for (std::size_t run = 0; run < found.plan.runs.size(); ++run) {
    if (found.plan.runs[run].identity.rfind(id, 0) == 0) matching.push_back(run);
  }
  SOUK_REQUIRE(!matching.empty(), "{}: the grid has no cell with this id ('souk sweep plan' lists them)", id);
  SOUK_REQUIRE(matching.size() == 1, "{}: {} cells begin with this id", id, matching.size());
  return matching.front();
}

std::string coordinate(const Cell& cell, const std::string& axis) {
  for (const auto& [name, label] : cell.coordinates) {
    if (name == axis) return label;
  }
  return "-";
}

std::string counts_text(const Survey& found) {
  if (found.runs.empty()) return "none";
  std::map<RunStatus, std::size_t> counts;
  for (const auto& [run, state] : found.states) ++counts[state.status];
  std::vector<std::string> parts;
  for (const RunStatus status :
       {RunStatus::done, RunStatus::diverged, RunStatus::running, RunStatus::interrupted, RunStatus::failed,
        RunStatus::crashed, RunStatus::timed_out, RunStatus::damaged, RunStatus::refused, RunStatus::missing}) {
    if (counts.contains(status)) parts.push_back(fmt::format("{} {}", counts[status], to_string(status)));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::vector<Estimate> refined_estimates(const Survey& found) {
  std::vector<Estimate> estimates = estimate(Comm::self(), found.plan, *found.catalogue, found.runs);
  std::vector<Measured> measured;
  for (const auto& [run, state] : found.states) {
    if (state.complete(found.plan.runs[run].identity)) measured.push_back({run, state.seconds});
  }
  refine(found.plan, measured, estimates);
  return estimates;
}

void print_cells(const Survey& found, const std::vector<Estimate>& estimates) {
  std::vector<TextRow> rows(1, TextRow{"id", "state", "estimate", "memory"});
  for (const GridAxis& axis : found.plan.axes) rows.front().push_back(axis.name);
  for (const Cell& cell : found.plan.cells) {
    const auto state = found.states.find(cell.run);
    if (state == found.states.end()) continue;
    const Estimate& estimate = estimates[cell.run];
    const bool refused = !estimate.refusal.empty();
    TextRow row{found.plan.runs[cell.run].id(), to_string(state->second.status),
                refused ? "-" : fmt::format("{:.1f} s", estimate.seconds), refused ? "-" : bytes_text(estimate.bytes)};
    for (const GridAxis& axis : found.plan.axes) row.push_back(coordinate(cell, axis.name));
    rows.push_back(std::move(row));
  }
  print_table(rows);
}

void print_refusals(const Survey& found, const std::vector<Estimate>& estimates) {
  std::map<std::string, std::size_t> refusals;
  for (const std::size_t run : found.runs) {
    if (!estimates[run].refusal.empty()) ++refusals[estimates[run].refusal];
  }
  for (const auto& [why, count] : refusals) fmt::print("refused ({}): {}\n", count, why);
}

/// Once for all runs that are not done and that it is about.
void print_advice(const Survey& found) {
  std::map<std::string, std::size_t> advice;
  for (const auto& [run, state] : found.states) {
    const PlannedRun& planned = found.plan.runs[run];
    if (state.complete(planned.identity)) continue;
    const ResolvedScenario resolved = resolve_scenario({"", planned.scenario, {}});
    for (const std::string& sentence : advice_on_cost(*resolved.scenario)) ++advice[sentence];
  }
  for (const auto& [sentence, count] : advice) log::warning("{} runs: {}", count, sentence);
}

void print_troubles(const Survey& found) {
  for (const auto& [run, state] : found.states) {
    if (state.failures == 0) continue;
    const PlannedRun& planned = found.plan.runs[run];
    fmt::print("{} ({}): {}: {}\n", planned.id(), coordinates_text(found.plan.cells[planned.first_cell]),
               to_string(state.status), state.reason);
  }
}

/// Last values of a run's metrics of the whole federation.
std::map<std::string, double> last_metrics(const std::filesystem::path& directory) {
  std::map<std::string, double> metrics;
  if (!std::filesystem::exists(directory / "results.sqlite")) return metrics;
  const Database db(directory / "results.sqlite", Database::Mode::read);
  Statement rows(db, "SELECT name, value FROM metric WHERE agent = -1 AND class = -1 ORDER BY round");
  while (rows.step()) metrics[rows.text(0)] = rows.real(1);
  return metrics;
}

std::string quoted(const std::string& text) {
  const bool plain = text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./=:,+-") ==
                     std::string::npos;
  if (plain) return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

int sweep_plan_command(const SweepArguments& arguments) {
  Survey found = survey_of(arguments, SweepCatalogue::Keep::what_fits);
  const std::vector<Estimate> estimates = refined_estimates(found);
  double left = 0.0;
  for (auto& [run, state] : found.states) {
    const bool over = state.complete(found.plan.runs[run].identity) || state.failures > found.grid.retries;
    if (!over) left += estimates[run].seconds;
    if (!over && !estimates[run].refusal.empty()) state.status = RunStatus::refused;
  }
  print_cells(found, estimates);
  fmt::print("\n{}: {} cells in {} runs, {} chosen, in {}: {}; about {} left on one core\n", found.plan.name,
             found.plan.cells.size(), found.plan.runs.size(), found.runs.size(), found.directory.path().string(),
             counts_text(found), duration_text(left));
  print_refusals(found, estimates);
  print_advice(found);
  print_troubles(found);
  return exit_done;
}

int sweep_status_command(const SweepArguments& arguments) {
  const Survey found = survey_of(arguments);
  fmt::print("{}: {} runs: {}{}\n", found.directory.path().string(), found.runs.size(), counts_text(found),
             found.directory.busy() ? "" : " (nobody is at work)");
  for (const auto& [run, state] : found.states) {
    if (state.status != RunStatus::running) continue;
    const PlannedRun& planned = found.plan.runs[run];
    fmt::print("{} ({}): running, round {} done\n", planned.id(),
               coordinates_text(found.plan.cells[planned.first_cell]), state.rounds_done);
  }
  print_troubles(found);
  return exit_done;
}

int sweep_show_command(const SweepArguments& arguments, const std::string& id) {
  const Survey found = survey_of(arguments);
  const std::size_t run = run_of(found, id);
  const PlannedRun& planned = found.plan.runs[run];
  fmt::print("identity   {}\n", planned.identity);
  for (const Cell& cell : found.plan.cells) {
    if (cell.run == run) fmt::print("cell       {}\n", coordinates_text(cell));
  }
  const RunState state = read_run_state(found.directory.of_run(planned.id()));
  fmt::print("state      {}{}\n", to_string(state.status), state.reason.empty() ? "" : ": " + state.reason);
  fmt::print("results    {}\n", found.directory.of_run(planned.id()).string());
  std::string command = "souk run " + quoted(found.plan.base.string());
  for (const GridSetting& setting : found.plan.cells[planned.first_cell].settings) {
    command += " --set " + quoted(setting.text);
  }
  fmt::print("command    {}\n", command);
  return exit_done;
}

int sweep_diff_command(const SweepArguments& arguments, const std::string& a, const std::string& b) {
  const Survey found = survey_of(arguments);
  const std::size_t first = run_of(found, a), second = run_of(found, b);
  const auto scenario = [&](std::size_t run) { return resolve_scenario({"", found.plan.runs[run].scenario, {}}); };
  std::vector<TextRow> rows(1, TextRow{"field", found.plan.runs[first].id(), found.plan.runs[second].id()});
  const ResolvedScenario left = scenario(first), right = scenario(second);
  for (const Difference& difference : differences(*left.scenario, *right.scenario)) {
    rows.push_back({difference.path, difference.first.value_or("-"), difference.second.value_or("-")});
  }
  rows.push_back({"", "", ""});
  rows.push_back({"metric", "", ""});
  const auto before = last_metrics(found.directory.of_run(found.plan.runs[first].id()));
  const auto after = last_metrics(found.directory.of_run(found.plan.runs[second].id()));
  std::map<std::string, int> names;
  for (const auto* metrics : {&before, &after}) {
    for (const auto& [name, value] : *metrics) names.emplace(name, 0);
  }
  const auto text = [](const std::map<std::string, double>& metrics, const std::string& name) {
    const auto value = metrics.find(name);
    return value == metrics.end() ? std::string("-") : fmt::format("{:.6g}", value->second);
  };
  for (const auto& [name, unused] : names) rows.push_back({name, text(before, name), text(after, name)});
  print_table(rows);
  return exit_done;
}

}  // namespace souk
