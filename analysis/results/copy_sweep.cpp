#include "analysis/results/copy_sweep.hpp"

#include <vector>

#include "analysis/results/attached.hpp"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

namespace fs = std::filesystem;

constexpr int sweep_schema_version = 1;

std::string free_name(const Database& view, const std::string& wanted) {
  std::string name = wanted;
  for (int number = 2;; ++number) {
    Statement look(view, "SELECT 1 FROM cell WHERE sweep = ? LIMIT 1");
    look.bind_all(name);
    if (!look.step()) return name;
    name = fmt::format("{}#{}", wanted, number);
  }
}

std::string name_of_source(const Database& view) {
  Statement name(view, "SELECT value FROM source.sweep WHERE name = 'name'");
  return name.step() ? name.text(0) : "sweep";
}

/// Ids of the cells, each once, in the order of the grid.
std::vector<std::string> ids_of_source(const Database& view) {
  std::vector<std::string> ids;
  Statement row(view, "SELECT id FROM source.cell GROUP BY id ORDER BY min(number)");
  while (row.step()) ids.push_back(row.text(0));
  return ids;
}

/// Everything but the runs, as if they were numbered from `next.run` in the order of their ids.
void copy_grid(Database& view, const std::string& name, const NextNumbers& next) {
  Statement(view, "INSERT INTO axis SELECT ?, position, name FROM source.axis ORDER BY position").run(name);
  Statement(view, "INSERT INTO axis_value SELECT ?, axis, position, value FROM source.axis_value").run(name);
  view.execute(
      "CREATE TEMP TABLE place AS SELECT number, row_number() OVER (ORDER BY number) - 1 AS at FROM source.cell");
  Statement(view,
            "INSERT INTO cell SELECT p.at + ?, ?, c.number, c.block, r.at + ? FROM source.cell c"
            " JOIN place p USING (number)"
            " JOIN (SELECT id, row_number() OVER (ORDER BY min(number)) - 1 AS at FROM source.cell GROUP BY id) r"
            " USING (id) ORDER BY c.number")
      .run(next.cell, name, next.run);
  Statement(view,
            "INSERT INTO coordinate SELECT p.at + ?, k.axis, k.value FROM source.coordinate k"
            " JOIN place p USING (number) ORDER BY p.at, k.axis")
      .run(next.cell);
  view.execute("DROP TABLE place");
}

/// What cells were going to run, for those that have no results to say so.
void keep_plan_of_source(Database& view) {
  view.execute("CREATE TEMP TABLE planned(id, seed, rounds, aggregator, attack, malicious, partition, dataset, model)");
  if (view.integer("SELECT count(*) FROM source.sqlite_master WHERE name = 'planned'") == 0) return;
  view.execute(
      "INSERT INTO temp.planned SELECT id, seed, rounds, aggregator, attack, malicious, partition, dataset, model"
      " FROM source.planned");
}

void use_plan(Database& view, const std::string& sweep) {
  Statement(view,
            "UPDATE run SET seed = p.seed, rounds = p.rounds, aggregator = p.aggregator, attack = p.attack,"
            " malicious = p.malicious, partition = p.partition, dataset = p.dataset, model = p.model"
            " FROM temp.planned p WHERE p.id = run.id AND run.sweep = ? AND run.aggregator IS NULL")
      .run(sweep);
  view.execute("DROP TABLE temp.planned");
}

}  // namespace

void copy_sweep(Database& view, const fs::path& directory, ResultsView::Detail detail, NextNumbers& next,
                KnownRuns& known) {
  const fs::path file = directory / "sweep.sqlite";
  std::string name;
  std::vector<std::string> ids;
  {
    const Attached source(view, file);
    SOUK_REQUIRE(!source.is_empty(), "{}: lists no cells: its sweep was killed before it began; start it again",
                 file.string());
    SOUK_REQUIRE(source.version() == sweep_schema_version,
                 "{}: has a sweep of schema version {}, this program reads version {}", file.string(), source.version(),
                 sweep_schema_version);
    try {
      view.in_transaction([&] {
        name = free_name(view, name_of_source(view));
        ids = ids_of_source(view);
        copy_grid(view, name, next);
        keep_plan_of_source(view);
      });
    } catch (const std::runtime_error& error) {
      throw_input_error("{}: cannot be read: {}", file.string(), reason_of(error, view));
    }
  }
  next.cell = view.integer("SELECT coalesce(max(cell), 0) + 1 FROM cell");
  std::int64_t place = next.run;  // what the cells take the run's number to be
  for (const std::string& id : ids) {
    const fs::path cell = directory / "cells" / id;
    const std::int64_t run =
        copy_run(view, cell, {.run = next.run, .id = id, .sweep = name, .shown = cell}, detail, known).value();
    if (run == next.run) ++next.run;
    if (run != place) Statement(view, "UPDATE cell SET run = ? WHERE sweep = ? AND run = ?").run(run, name, place);
    ++place;
  }
  use_plan(view, name);
}

}  // namespace souk
