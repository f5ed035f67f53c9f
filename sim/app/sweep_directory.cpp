#include "sim/app/sweep_directory.hpp"

#include <limits>

#include <fmt/format.h>

#include "analysis/database.hpp"
#include "analysis/results/scenario_columns.hpp"
#include "analysis/sinks/sqlite_sink.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/decimal.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;

constexpr int index_version = 1;

constexpr const char* index_schema = R"sql(
CREATE TABLE IF NOT EXISTS sweep(name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS axis(position INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE IF NOT EXISTS axis_value(axis TEXT, position INTEGER, value TEXT, PRIMARY KEY(axis, position))
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cell(number INTEGER PRIMARY KEY, id TEXT, block TEXT);
CREATE TABLE IF NOT EXISTS coordinate(number INTEGER, axis TEXT, value TEXT, PRIMARY KEY(number, axis)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS planned(id TEXT PRIMARY KEY, seed INTEGER, rounds INTEGER, aggregator TEXT, attack TEXT,
                                   malicious REAL, partition TEXT, dataset TEXT, model TEXT) WITHOUT ROWID;
DELETE FROM sweep;
DELETE FROM axis;
DELETE FROM axis_value;
DELETE FROM cell;
DELETE FROM coordinate;
DELETE FROM planned;
)sql";

void insert_plan(Database& db, const SweepPlan& plan) {
  Statement(db, "INSERT INTO sweep VALUES('name', ?)").run(plan.name);
  Statement(db, "INSERT INTO sweep VALUES('base', ?)").run(plan.base.string());
  Statement axis(db, "INSERT INTO axis VALUES(?,?)");
  Statement value(db, "INSERT INTO axis_value VALUES(?,?,?)");
  for (std::size_t a = 0; a < plan.axes.size(); ++a) {
    axis.run(a, plan.axes[a].name);
    for (std::size_t v = 0; v < plan.axes[a].values.size(); ++v) {
      value.run(plan.axes[a].name, v, plan.axes[a].values[v].label);
    }
  }
  Statement planned(db, "INSERT OR IGNORE INTO planned VALUES(?,?,?,?,?,?,?,?,?)");
  for (const PlannedRun& run : plan.runs) {
    const ScenarioColumns is = columns_of_scenario(run.scenario);
    planned.run(run.id(), is.seed, is.rounds, is.aggregator, is.attack, is.malicious, is.partition, is.dataset,
                is.model);
  }
  Statement cell(db, "INSERT INTO cell VALUES(?,?,?)");
  Statement coordinate(db, "INSERT INTO coordinate VALUES(?,?,?)");
  for (std::size_t c = 0; c < plan.cells.size(); ++c) {
    cell.run(c, plan.runs[plan.cells[c].run].id(), plan.cells[c].block);
    for (const auto& [name, label] : plan.cells[c].coordinates) coordinate.run(c, name, label);
  }
}

/// Whether the tables were made before a run was killed.
bool has_tables(const Database& db) {
  return db.integer("SELECT count(*) FROM sqlite_master WHERE name = 'process'") != 0;
}

std::map<std::string, std::string> facts_in(const Database& db) {
  std::map<std::string, std::string> facts;
  Statement row(db, "SELECT name, value FROM run");
  while (row.step()) facts.emplace(row.text(0), row.text(1));
  return facts;
}

RunState read_results(const fs::path& file) {
  const Database db(file, Database::Mode::read);
  if (!has_tables(db)) return {.status = RunStatus::interrupted};
  db.require_version(results_schema_version);
  const auto facts = facts_in(db);
  const auto fact = [&](const char* name, std::string otherwise) {
    const auto found = facts.find(name);
    return found == facts.end() ? std::move(otherwise) : found->second;
  };
  const std::string unsaid = to_string(RunStatus::interrupted);  // killed before it could say anything
  RunState state{.status = run_status_named(fact("status", unsaid)),
                 .reason = fact("reason", ""),
                 .identity = fact("identity", ""),
                 .failures = static_cast<std::uint32_t>(parse_whole(fact("failures", "0")).value_or(0))};
  Statement rounds(db, "SELECT (SELECT max(round) FROM round), (SELECT sum(seconds) FROM phase)");
  rounds.step();
  state.rounds_done = static_cast<std::uint32_t>(rounds.integer(0));
  state.seconds = rounds.is_null(1) ? 0.0 : rounds.real(1);
  return state;
}

}  // namespace

RunState read_run_state(const fs::path& directory) {
  const fs::path file = directory / "results.sqlite";
  if (!fs::exists(file)) return {};
  try {
    return read_results(file);
  } catch (const std::runtime_error& error) {
    return {
        .status = RunStatus::damaged, .reason = error.what(), .failures = std::numeric_limits<std::uint32_t>::max()};
  }
}

RunStatus shown_status(const RunState& state, const fs::path& directory) {
  const bool killed = state.status == RunStatus::running && !FileLock::is_taken(directory / "lock");
  return killed ? RunStatus::interrupted : state.status;
}

std::map<std::string, std::string> read_run_facts(const fs::path& directory) {
  const fs::path file = directory / "results.sqlite";
  if (!fs::exists(file)) return {};
  const Database db(file, Database::Mode::read);
  return has_tables(db) ? facts_in(db) : std::map<std::string, std::string>();
}

bool SweepDirectory::is_in_place() const { return fs::exists(path_ / "sweep.sqlite"); }

void SweepDirectory::require_in_place() const {
  if (is_in_place()) return;
  throw std::runtime_error(fmt::format("{}: was removed or renamed while the sweep went on", path_.string()));
}

fs::path SweepDirectory::of_group(const Shard& shard, int group) const {
  return of_groups() / fmt::format("{}-of-{}-{}", shard.index, shard.count, group);
}

void SweepDirectory::open(const SweepPlan& plan, const Shard& shard) {
  SOUK_REQUIRE(!fs::exists(path_ / "results.sqlite"), "{}: holds a run, not a sweep; choose another --out",
               path_.string());
  std::error_code error;
  fs::create_directories(of_groups(), error);
  SOUK_REQUIRE(!error, "cannot create {}: {}", path_.string(), error.message());
  const bool alone = shard.count == 1;
  SOUK_REQUIRE(whole_.take(path_ / "lock", alone ? FileLock::Sharing::exclusive : FileLock::Sharing::shared),
               "{}: another sweep is at work here; several jobs share a directory with --shard I/N", path_.string());
  SOUK_REQUIRE(alone || part_.take(path_ / fmt::format("lock-{}-of-{}", shard.index, shard.count)),
               "{}: another job is at work on shard {}/{}", path_.string(), shard.index, shard.count);
  FileLock index;  // shards begin together
  index.wait(path_ / "lock-index");
  require_same_name(plan);
  write_index(plan);
}

void SweepDirectory::require_same_name(const SweepPlan& plan) const {
  if (!fs::exists(path_ / "sweep.sqlite")) return;
  const Database db(path_ / "sweep.sqlite", Database::Mode::read);
  if (db.integer("SELECT count(*) FROM sqlite_master") == 0) return;  // a job was killed before it could list its cells
  Statement name(db, "SELECT value FROM sweep WHERE name = 'name'");
  if (!name.step() || name.text(0) == plan.name) return;
  throw_input_error(
      "{}: holds the sweep '{}', not '{}'; to go on with it, write name: \"{}\" into the grid (without a name, a grid "
      "is "
      "called like its file); or choose another --out",
      path_.string(), name.text(0), plan.name, name.text(0));
}

bool SweepDirectory::busy() const { return FileLock::is_taken(path_ / "lock"); }

void SweepDirectory::write_index(const SweepPlan& plan) const {
  Database db(path_ / "sweep.sqlite", Database::Mode::write);
  db.require_version(index_version);
  db.in_transaction([&] {
    db.execute(index_schema);
    db.execute(fmt::format("PRAGMA user_version = {}", index_version));
    insert_plan(db, plan);
  });
}

}  // namespace souk
