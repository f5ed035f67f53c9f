#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "analysis/database.hpp"
#include "analysis/sinks/sqlite_sink.hpp"
#include "sim/base/file_lock.hpp"

namespace souk {

/// Where the tests of this process write; gone with it.
struct TestRoot {
  std::filesystem::path path = std::filesystem::path(testing::TempDir()) / fmt::format("souk_analysis_{}", getpid());
  std::vector<FileLock> held = {};  ///< of made runs that somebody is at
  ~TestRoot() { std::filesystem::remove_all(path); }
};

inline TestRoot& test_root() {
  static TestRoot root;
  return root;
}

/// A folder of the test that runs, empty at its start.
inline std::filesystem::path fresh_folder() {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const auto folder = test_root().path / test->test_suite_name() / test->name();
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

/// What a made run leaves behind: metrics of the federation by name, one value a round from round 1 on.
struct MadeRun {
  std::string rule = "krum";
  std::string attack = {};  ///< empty: none
  std::uint64_t seed = 1;
  std::map<std::string, std::vector<double>> metrics = {};
  std::string status = "done";  ///< "at work": running, and somebody is at it
  std::string reason = {};
  std::uint64_t bytes = 100;  ///< sent in each round
  std::string identity = {};  ///< empty: one of its own, from its directory
};

inline std::string scenario_of(const MadeRun& run) {
  const std::string group = run.attack.empty() ? "" : fmt::format("attacks {{ fraction: 0.2 {} {{}} }}\n", run.attack);
  return fmt::format(
      "name: \"made\"\nseed: {}\nrounds: 3\ntask {{ data {{ glyphs {{ }} }} model {{ mlp {{ }} }} }}\n"
      "participants {{ clients: 10 }}\npartition {{ dirichlet {{ alpha: 0.5 }} }}\naggregator {{ {} {{}} }}\n{}",
      run.seed, run.rule, group);
}

/// Ten clients, of which the last two are malicious under an attack; every round takes one second.
inline void write_run(const std::filesystem::path& directory, const MadeRun& run) {
  std::filesystem::create_directories(directory);
  const bool at_work = run.status == "at work";
  if (at_work) static_cast<void>(test_root().held.emplace_back().take(directory / "lock"));
  const auto sink = open_sqlite_sink(directory / "results.sqlite");
  const std::size_t own = std::hash<std::string>{}(directory.string());
  sink->describe(
      {{"identity", run.identity.empty() ? fmt::format("{0:016x}{0:016x}{0:016x}{0:016x}", own) : run.identity},
       {"scenario", scenario_of(run)},
       {"name", "made"},
       {"seed", std::to_string(run.seed)},
       {"status", at_work ? "running" : run.status},
       {"reason", run.reason},
       {"started", "2020-01-01T00:00:00Z"},
       {"seconds_set_up", "0.500"}});
  SetUpRecord set_up;
  for (std::uint32_t agent = 0; agent < 10; ++agent) {
    const std::int64_t group = !run.attack.empty() && agent >= 8 ? 0 : -1;
    set_up.agents.push_back({{agent}, "client", 5, group, 1e9, 1e6});
  }
  sink->commit_set_up(set_up);
  std::size_t rounds = 0;
  for (const auto& [name, values] : run.metrics) rounds = std::max(rounds, values.size());
  for (std::size_t i = 0; i < rounds; ++i) {
    RoundRecord record;
    record.round = {static_cast<std::uint32_t>(i + 1)};
    for (const auto& [name, values] : run.metrics) {
      if (i < values.size()) record.add(name, values[i]);
    }
    record.traffic.push_back({"update", 1, run.bytes});
    record.phases.push_back({"train", 1.0, 1.0});
    sink->commit(record);
  }
}

/// Coordinates of a cell by axis, and the directory name of its results.
struct MadeCell {
  std::string id;
  std::vector<std::pair<std::string, std::string>> coordinates;
};

/// sweep.sqlite alone: cells are runs written into DIRECTORY/cells/ID. Axes get the values of the cells, in the order
/// of their first occurrence.
inline void write_sweep(const std::filesystem::path& directory, const std::string& name,
                        const std::vector<MadeCell>& cells) {
  std::filesystem::create_directories(directory / "cells");
  Database db(directory / "sweep.sqlite", Database::Mode::write);
  db.execute(
      "PRAGMA user_version = 1; CREATE TABLE sweep(name TEXT PRIMARY KEY, value TEXT);"
      "CREATE TABLE axis(position INTEGER PRIMARY KEY, name TEXT);"
      "CREATE TABLE axis_value(axis TEXT, position INTEGER, value TEXT, PRIMARY KEY(axis, position));"
      "CREATE TABLE cell(number INTEGER PRIMARY KEY, id TEXT, block TEXT);"
      "CREATE TABLE coordinate(number INTEGER, axis TEXT, value TEXT, PRIMARY KEY(number, axis))");
  Statement(db, "INSERT INTO sweep VALUES('name', ?)").run(name);
  Statement axis(db,
                 "INSERT INTO axis SELECT count(*), ?1 FROM axis WHERE NOT EXISTS (SELECT 1 FROM axis WHERE name = ?1) "
                 "HAVING NOT EXISTS (SELECT 1 FROM axis WHERE name = ?1)");
  Statement value(db,
                  "INSERT INTO axis_value SELECT ?1, count(*), ?2 FROM axis_value WHERE axis = ?1 HAVING NOT EXISTS "
                  "(SELECT 1 FROM axis_value WHERE axis = ?1 AND value = ?2)");
  Statement cell(db, "INSERT INTO cell VALUES(?, ?, '')");
  Statement coordinate(db, "INSERT INTO coordinate VALUES(?,?,?)");
  for (std::size_t number = 0; number < cells.size(); ++number) {
    cell.run(number, cells[number].id);
    for (const auto& [name_of_axis, at] : cells[number].coordinates) {
      axis.run(name_of_axis);
      value.run(name_of_axis, at);
      coordinate.run(number, name_of_axis, at);
    }
  }
}

/// All rows of a query as text, one a line, columns separated by '|'. NULL is "null".
inline std::string rows_of(const Database& db, const std::string& sql) {
  Statement row(db, sql);
  std::string text;
  while (row.step()) {
    for (int c = 0; c < row.columns(); ++c) text += (c > 0 ? "|" : "") + (row.is_null(c) ? "null" : row.text(c));
    text += "\n";
  }
  return text;
}

}  // namespace souk
