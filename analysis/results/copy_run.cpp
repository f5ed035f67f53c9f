#include "analysis/results/copy_run.hpp"

#include <map>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "analysis/results/attached.hpp"
#include "analysis/results/pair_summaries.hpp"
#include "analysis/results/run_summaries.hpp"
#include "analysis/results/scenario_columns.hpp"
#include "analysis/results/view_schema.hpp"
#include "analysis/sinks/sqlite_sink.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/file_lock.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;
using Detail = ResultsView::Detail;

bool skipped(const ViewTable& table, Detail detail) {
  if (detail == Detail::totals) return table.name != "metric" && table.name != "round" && table.name != "traffic";
  return detail == Detail::federation && (table.name == "selection" || table.name == "process" || table.name == "pair");
}

/// Which rows of the table `metric`.
std::string_view chosen_metrics(Detail detail) {
  if (detail == Detail::totals) return "WHERE agent = -1 AND class = -1";
  return detail == Detail::federation ? "WHERE agent = -1" : "";
}

void copy_table(Database& view, const ViewTable& table, std::int64_t run, Detail detail) {
  std::string columns;
  for (const ViewColumn& column : table.columns.subspan(1)) columns += fmt::format(", {}", column.name);
  // The order of the key: rows are then appended, and equal results give equal files.
  const std::string_view order = table.key.substr(table.key.find(',') + 2);
  Statement(view, fmt::format("INSERT INTO {0} SELECT ?{1} FROM source.{0} {2} ORDER BY {3}", table.name, columns,
                              table.name == "metric" ? chosen_metrics(detail) : "", order))
      .run(run);
}

using RunFacts = std::map<std::string, std::string>;

std::string fact_of(const RunFacts& facts, const std::string& name, const std::string& otherwise = "") {
  const auto found = facts.find(name);
  return found == facts.end() ? otherwise : found->second;
}

RunFacts facts_of_source(const Database& view) {
  RunFacts facts;
  Statement row(view, "SELECT name, value FROM source.run");
  while (row.step()) facts.emplace(row.text(0), row.text(1));
  return facts;
}

/// Of a run that is over; none of one that may go on.
std::optional<std::uint32_t> rounds_of_ended(const Database& view, RunStatus status) {
  if (!is_over(status)) return std::nullopt;
  return static_cast<std::uint32_t>(view.integer("SELECT coalesce(max(round), 0) FROM source.round"));
}

/// Enters the run, and gives its attacker groups that never act.
std::vector<int> insert_run(Database& view, const RunName& name, const RunFacts& facts, RunStatus status) {
  const auto fact = [&](const std::string& key, const std::string& otherwise) {
    return fact_of(facts, key, otherwise);
  };
  const std::string scenario = fact("scenario", "");
  std::optional<ScenarioColumns> columns;  // a run that could not even begin has none
  if (!scenario.empty()) columns = columns_of_scenario(scenario, rounds_of_ended(view, status));
  const auto column = [&](auto member) {
    using Value = std::decay_t<decltype(std::declval<ScenarioColumns>().*member)>;
    return columns ? std::optional<Value>((*columns).*member) : std::nullopt;
  };
  using Columns = ScenarioColumns;
  Statement(view,
            "INSERT INTO run SELECT ?, ?, ?, ?, ?, ?, ?, CAST(? AS INTEGER), ?, ?,"
            " (SELECT coalesce(max(round), 0) FROM source.round), ?, ?, ?, ?, ?, ?,"
            " (SELECT coalesce(sum(seconds), 0) FROM source.phase) + CAST(? AS REAL), ?")
      .run(name.run, name.id, fact("name", ""), name.sweep, name.shown.string(), to_string(status), fact("reason", ""),
           fact("failures", "0"), column(&Columns::seed), column(&Columns::rounds), column(&Columns::aggregator),
           column(&Columns::attack), column(&Columns::malicious), column(&Columns::partition),
           column(&Columns::dataset), column(&Columns::model), fact("seconds_set_up", "0"), scenario);
  if (!columns) return {};
  Statement setting(view, "INSERT OR REPLACE INTO setting VALUES(?,?,?)");
  for (const auto& [path, value] : columns->settings) setting.run(name.run, path, value);
  return columns->idle_groups;
}

void copy_results(Database& view, const RunName& name, const RunFacts& facts, RunStatus status, Detail detail) {
  const std::vector<int> idle_groups = insert_run(view, name, facts, status);
  Statement(view, "INSERT INTO fact SELECT ?, name, value FROM source.run ORDER BY name").run(name.run);
  for (const ViewTable& table : view_tables()) {
    if (!table.copied || skipped(table, detail)) continue;
    if (table.later && !source_has_table(view, table.name)) continue;
    copy_table(view, table, name.run, detail);
  }
  if (detail == Detail::totals) return;
  Statement behaves(view, "UPDATE agent SET attacker_group = -1 WHERE run = ? AND attacker_group = ?");
  for (const int group : idle_groups) behaves.run(name.run, group);
  summarise_run(view, name.run);
  if (source_has_table(view, "pair")) summarise_pairs(view, name.run);
}

void insert_without_results(Database& view, const RunName& name, RunStatus status, const std::string& reason) {
  Statement(view, "INSERT INTO run(run, id, sweep, path, status, reason) VALUES(?,?,?,?,?,?)")
      .run(name.run, name.id, name.sweep, name.shown.string(), to_string(status), reason);
}

void remove_rows(Database& view, std::int64_t run) {
  for (const ViewTable& table : view_tables()) {
    if (table.key.starts_with("run")) Statement(view, fmt::format("DELETE FROM {} WHERE run = ?", table.name)).run(run);
  }
}

/// How far a run got: to an end of its own, to work that goes on, to an end that was none, nowhere.
int progress(RunStatus status) {
  if (is_over(status)) return 3;
  if (status == RunStatus::running) return 2;
  return status == RunStatus::missing ? 0 : 1;
}

std::int64_t enter_without_results(Database& view, const RunName& name, KnownRuns& known,
                                   RunStatus status = RunStatus::missing, const std::string& reason = "") {
  if (const KnownRuns::Run* same = known.find(name.id, "")) {
    ++known.repeated;
    return same->number;
  }
  insert_without_results(view, name, status, reason);
  known.add(name.id, {.number = name.run, .identity = {}, .status = status});
  return name.run;
}

/// Enters the run that is attached as `source`. A run that nobody is at, although it says so, was killed.
std::int64_t enter_results(Database& view, RunName name, bool at_work, Detail detail, KnownRuns& known) {
  const RunFacts facts = facts_of_source(view);
  const std::string identity = fact_of(facts, "identity");
  if (name.id.empty()) name.id = identity.substr(0, 12);
  RunStatus status = run_status_named(fact_of(facts, "status", to_string(RunStatus::running)));
  if (status == RunStatus::running && !at_work) status = RunStatus::interrupted;
  KnownRuns::Run* same = known.find(name.id, identity);
  if (same != nullptr) {
    ++known.repeated;
    if (progress(same->status) >= progress(status)) return same->number;
    remove_rows(view, same->number);
    name.run = same->number;
    *same = {.number = name.run, .identity = identity, .status = status};
  } else {
    known.add(name.id, {.number = name.run, .identity = identity, .status = status});
  }
  copy_results(view, name, facts, status, detail);
  return name.run;
}

/// What is left of results cannot be read.
class DamagedResults : public InputError {
  using InputError::InputError;
};

/// What is there was written by another version of the program.
class OtherVersion : public DamagedResults {
  using DamagedResults::DamagedResults;
};

std::int64_t copy_results_of(Database& view, const fs::path& file, const RunName& name, Detail detail,
                             KnownRuns& known) {
  const bool at_work =
      FileLock::is_taken(file.parent_path() / "lock");  // before the status is read, which it may change
  const Attached source = [&] {
    try {
      return Attached(view, file);
    } catch (const InputError& error) {
      throw DamagedResults(error.what());
    }
  }();
  if (source.is_empty()) return enter_without_results(view, name, known);
  if (source.version() != results_schema_version) {
    throw OtherVersion(
        fmt::format("{}: has results of schema version {}, this program reads version {}; run it again "
                    "with this program, or look at it with the one that wrote it",
                    file.string(), source.version(), results_schema_version));
  }
  try {
    std::int64_t run = 0;
    view.in_transaction([&] { run = enter_results(view, name, at_work, detail, known); });
    return run;
  } catch (const std::exception& error) {
    throw DamagedResults(fmt::format("{}: cannot be read: {}", file.string(), reason_of(error, view)));
  }
}

}  // namespace

KnownRuns::Run* KnownRuns::find(const std::string& id, const std::string& identity) {
  if (id.empty()) return nullptr;
  for (auto [at, end] = runs_.equal_range(id); at != end; ++at) {
    Run& run = at->second;
    if (run.identity == identity || run.identity.empty() || identity.empty()) return &run;
  }
  return nullptr;
}

std::optional<std::int64_t> copy_run(Database& view, const fs::path& directory, const RunName& name, Detail detail,
                                     KnownRuns& known) {
  const fs::path file = directory / "results.sqlite";
  if (!fs::exists(file)) return enter_without_results(view, name, known);
  try {
    return copy_results_of(view, file, name, detail, known);
  } catch (const OtherVersion& error) {
    known.of_other_versions.emplace_back(error.what());
    if (name.sweep.empty()) return std::nullopt;
    return enter_without_results(view, name, known, RunStatus::damaged, error.what());
  } catch (const DamagedResults& error) {
    if (name.sweep.empty()) throw;
    return enter_without_results(view, name, known, RunStatus::damaged, error.what());  // the other cells can be read
  }
}

}  // namespace souk
