#include "analysis/results/results_view.hpp"

#include <string_view>

#include "analysis/results/copy_run.hpp"
#include "analysis/results/copy_sweep.hpp"
#include "analysis/results/result_places.hpp"
#include "analysis/results/view_schema.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/log.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view derived_columns[] = {"aggregator", "attack", "malicious", "partition",
                                                "dataset",    "model",  "name"};

/// One warning about all runs that another version wrote; an InputError where there is nothing else.
void warn_of_other_versions(const Database& view, const std::vector<std::string>& runs) {
  if (runs.empty()) return;
  std::string text = runs.front();
  if (runs.size() > 1) text += fmt::format(" ({} runs are of other versions, and left out)", runs.size());
  if (view.integer("SELECT count(*) FROM cell") == 0) throw_input_error("{}", text);
  log::warning("{}", text);
}

/// A run that was given on its own as well as by a sweep is the sweep's.
void remove_plain_cells_of_sweeps(Database& view) {
  view.execute("DELETE FROM cell WHERE sweep = '' AND run IN (SELECT run FROM cell WHERE sweep != '')");
  view.execute(
      "UPDATE run SET sweep = (SELECT sweep FROM cell WHERE cell.run = run.run ORDER BY cell LIMIT 1)"
      " WHERE sweep = '' AND run NOT IN (SELECT run FROM cell WHERE sweep = '')");
}

/// Where runs outside sweeps lie: on every derived column in which they differ, and by their seeds.
void add_coordinates_of_plain_runs(Database& view) {
  if (view.integer("SELECT count(*) FROM cell WHERE sweep = ''") == 0) return;
  int position = 0;
  const auto add = [&](std::string_view column) {
    Statement(view, "INSERT INTO axis VALUES('', ?, ?)").run(position++, std::string(column));
    Statement(view,
              fmt::format("INSERT INTO coordinate SELECT cell, ?, CAST({0} AS TEXT) FROM cell JOIN run USING (run)"
                          " WHERE cell.sweep = '' AND {0} IS NOT NULL",
                          column))
        .run(std::string(column));
    Statement(view, fmt::format("INSERT INTO axis_value SELECT '', ?, row_number() OVER (ORDER BY {1}) - 1,"
                                " CAST({0} AS TEXT) FROM run WHERE sweep = '' AND {0} IS NOT NULL GROUP BY {0}",
                                column, column == "seed" || column == "malicious" ? column : "min(run)"))
        .run(std::string(column));
  };
  for (const std::string_view column : derived_columns) {
    if (view.integer(fmt::format("SELECT count(DISTINCT {}) FROM run WHERE sweep = ''", column)) > 1) add(column);
  }
  add("seed");
}

}  // namespace

ResultsView ResultsView::load(std::span<const fs::path> directories, Detail detail) {
  ResultsView view(Database::in_memory());
  view.fill(directories, detail);
  return view;
}

ResultsView ResultsView::load_into(const fs::path& file, std::span<const fs::path> directories, Detail detail) {
  SOUK_REQUIRE(!fs::exists(file), "{}: exists already", file.string());
  ResultsView view(Database(file, Database::Mode::write));
  view.db_.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF");  // a file that fails is thrown away
  view.fill(directories, detail);
  return view;
}

void ResultsView::fill(std::span<const fs::path> directories, Detail detail) {
  db_.execute("PRAGMA temp_store = MEMORY; PRAGMA busy_timeout = 10000; PRAGMA cache_size = -65536");
  db_.execute(view_schema_sql());
  NextNumbers next;
  KnownRuns known;
  for (const ResultPlace& place : find_results(directories)) {
    if (place.is_sweep) {
      copy_sweep(db_, place.path, detail, next, known);
      continue;
    }
    const RunName name{.run = next.run, .id = {}, .sweep = {}, .shown = place.path};
    if (copy_run(db_, place.path, name, detail, known) != next.run) continue;  // it has its cell
    Statement(db_, "INSERT INTO cell VALUES(?, '', 0, '', ?)").run(next.cell++, next.run++);
  }
  repeated_ = known.repeated;
  warn_of_other_versions(db_, known.of_other_versions);
  remove_plain_cells_of_sweeps(db_);
  add_coordinates_of_plain_runs(db_);
}

void ResultsView::keep(const std::set<std::int64_t>& cells) {
  db_.in_transaction([&] {
    db_.execute("CREATE TEMP TABLE kept(cell INTEGER PRIMARY KEY)");
    {
      Statement kept(db_, "INSERT INTO kept VALUES(?)");
      for (const std::int64_t cell : cells) kept.run(cell);
    }
    db_.execute("DELETE FROM cell WHERE cell NOT IN kept; DELETE FROM coordinate WHERE cell NOT IN kept");
    for (const ViewTable& table : view_tables()) {
      if (!table.key.starts_with("run")) continue;
      db_.execute(fmt::format("DELETE FROM {} WHERE run NOT IN (SELECT run FROM cell)", table.name));
    }
    db_.execute(
        "DELETE FROM axis_value WHERE NOT EXISTS (SELECT 1 FROM coordinate c JOIN cell USING (cell) WHERE"
        " cell.sweep = axis_value.sweep AND c.axis = axis_value.axis AND c.value = axis_value.value);"
        "DELETE FROM axis WHERE NOT EXISTS (SELECT 1 FROM axis_value v WHERE v.sweep = axis.sweep AND v.axis = "
        "axis.name);"
        "UPDATE run SET sweep = (SELECT sweep FROM cell WHERE cell.run = run.run ORDER BY cell LIMIT 1)"
        " WHERE NOT EXISTS (SELECT 1 FROM cell WHERE cell.run = run.run AND cell.sweep = run.sweep);"
        "DROP TABLE kept");
  });
}

void ResultsView::remove_measurements() {
  db_.in_transaction([&] {
    for (const ViewTable& table : view_tables()) {
      if (table.kind == ResultKind::measurement) db_.execute(fmt::format("DELETE FROM {}", table.name));
      for (const ViewColumn& column : table.columns) {
        if (column.kind == ResultKind::measurement && table.kind == ResultKind::result) {
          db_.execute(fmt::format("UPDATE {} SET {} = NULL", table.name, column.name));
        }
      }
    }
    std::vector<std::string> measured;
    {
      Statement name(db_, "SELECT DISTINCT name FROM fact");
      while (name.step()) {
        if (is_measured_fact(name.text(0))) measured.push_back(name.text(0));
      }
    }
    Statement forget(db_, "DELETE FROM fact WHERE name = ?");
    for (const std::string& name : measured) forget.run(name);
  });
  db_.execute("VACUUM");
}

}  // namespace souk
