#include "analysis/results/results_view.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/results/view_schema.hpp"
#include "sim/base/error.hpp"
#include "sim/base/file_lock.hpp"
#include "tests/analysis/made_results.hpp"

namespace souk::results_view_test {
namespace {

namespace fs = std::filesystem;
using Detail = ResultsView::Detail;
using Places = std::vector<fs::path>;
using testing::HasSubstr;

/// The sentence of the InputError that loading ends with.
std::string refusal(const Places& places) {
  try {
    ResultsView::load(places, Detail::federation);
  } catch (const InputError& error) {
    return error.what();
  }
  return "loaded";
}

TEST(ResultsView, columns_are_derived_from_the_scenario) {
  const fs::path folder = fresh_folder();
  MadeRun run{.rule = "pre { nnm {} } pre { clipping {} } krum", .attack = "sign_flip {} badnets", .seed = 7};
  run.metrics["accuracy"] = {0.1, 0.2};
  run.identity = std::string(64, 'a');
  write_run(folder / "a", run);
  const ResultsView view = ResultsView::load(Places{folder / "a"}, Detail::federation);

  EXPECT_EQ(rows_of(view.database(),
                    "SELECT run, id, name, sweep, status, reason, failures, seed, rounds, rounds_done, aggregator, "
                    "attack, malicious, partition, dataset, model, seconds FROM run"),
            "1|aaaaaaaaaaaa|made||done||0|7|3|2|nnm+clipping+krum|badnets+sign_flip|0.2|dirichlet|glyphs|mlp|2.5\n");
  EXPECT_EQ(rows_of(view.database(), "SELECT value FROM setting WHERE path = 'partition.dirichlet.alpha'"), "0.5\n");
  EXPECT_EQ(rows_of(view.database(), "SELECT count(*) FROM setting WHERE path = 'name'"), "0\n");
}

TEST(ResultsView, a_data_set_on_disk_is_called_by_its_place) {
  const fs::path folder = fresh_folder();
  const auto sink = open_sqlite_sink(folder / "results.sqlite");
  sink->describe(
      {{"scenario",
        "task { data { idx { directory: \"/data/fashion-mnist/\" } } } participants { clients: 4 } attacks { "
        "count: 1 zero {} } attacks { members { id: [0, 2] } sign_flip {} }"}});
  const ResultsView view = ResultsView::load(Places{folder}, Detail::federation);
  EXPECT_EQ(rows_of(view.database(), "SELECT dataset, attack, malicious, status FROM run"),
            "fashion-mnist|zero+sign_flip|0.75|interrupted\n");
}

/// Label, share and number of attackers of a made run with this attack.
std::string attack_seen(const std::string& attack, const std::string& status = "done") {
  const fs::path folder = fresh_folder();
  write_run(folder / "a", {.attack = attack, .metrics = {{"accuracy", {0.1, 0.2}}}, .status = status});
  const ResultsView view = ResultsView::load(Places{folder / "a"}, Detail::federation);
  return rows_of(view.database(),
                 "SELECT attack, malicious, (SELECT sum(attacker_group >= 0) FROM agent), (SELECT sum(attacker_group "
                 ">= 0) FROM agent_summary) FROM run");
}

TEST(ResultsView, a_group_that_never_acts_is_no_attack) {
  EXPECT_EQ(attack_seen("from_round: 4 sign_flip"), "none|0.0|0|0\n");
  EXPECT_EQ(attack_seen("at_rounds: 7 at_rounds: 4 sign_flip"), "none|0.0|0|0\n");
  EXPECT_EQ(attack_seen("poison_share: 0 badnets"), "none|0.0|0|0\n");
  EXPECT_EQ(attack_seen("poison_per_batch: 0 badnets"), "none|0.0|0|0\n");
  EXPECT_EQ(attack_seen("poison_share: 0 badnets {} sign_flip"), "badnets+sign_flip|0.2|2|2\n");
  EXPECT_EQ(attack_seen("from_round: 2 sign_flip"), "sign_flip|0.2|2|2\n");
  EXPECT_EQ(attack_seen("at_rounds: 7 at_rounds: 1 sign_flip"), "sign_flip|0.2|2|2\n");
  EXPECT_EQ(attack_seen("from_round: 9 identities: 2 badnets"), "badnets|0.2|2|2\n");
  // Of three rounds that were asked for, two were needed; a run that goes on may still get there.
  EXPECT_EQ(attack_seen("from_round: 3 sign_flip"), "none|0.0|0|0\n");
  EXPECT_EQ(attack_seen("from_round: 3 sign_flip", "interrupted"), "sign_flip|0.2|2|2\n");
}

TEST(ResultsView, a_sweep_has_its_axes_and_cells_that_share_a_run_or_never_started) {
  const fs::path folder = fresh_folder();
  write_sweep(folder / "s", "small",
              {{"c1", {{"attack", "none"}, {"share", "0.1"}, {"seed", "1"}}},
               {"c2", {{"attack", "zero"}, {"share", "0.1"}, {"seed", "1"}}},
               {"c1", {{"attack", "none"}, {"share", "0.2"}, {"seed", "1"}}}});
  write_run(folder / "s/cells/c1", {.metrics = {{"accuracy", {0.5}}}});
  const ResultsView view = ResultsView::load(Places{folder / "s"}, Detail::federation);
  const Database& db = view.database();

  EXPECT_EQ(rows_of(db, "SELECT cell, sweep, number, run FROM cell"), "1|small|0|1\n2|small|1|2\n3|small|2|1\n");
  EXPECT_EQ(rows_of(db, "SELECT run, id, status, aggregator FROM run"), "1|c1|done|krum\n2|c2|missing|null\n");
  EXPECT_EQ(rows_of(db, "SELECT sweep, position, name FROM axis"), "small|0|attack\nsmall|1|share\nsmall|2|seed\n");
  EXPECT_EQ(rows_of(db, "SELECT axis, position, value FROM axis_value WHERE axis != 'seed'"),
            "attack|0|none\nattack|1|zero\nshare|0|0.1\nshare|1|0.2\n");
  EXPECT_EQ(rows_of(db, "SELECT value FROM coordinate WHERE axis = 'share'"), "0.1\n0.1\n0.2\n");
}

TEST(ResultsView, cells_without_results_are_what_the_sweep_planned_and_a_damaged_one_hides_no_other) {
  const fs::path folder = fresh_folder();
  write_sweep(folder / "s", "small", {{"c1", {{"seed", "1"}}}, {"c2", {{"seed", "2"}}}, {"c3", {{"seed", "3"}}}});
  Database(folder / "s/sweep.sqlite", Database::Mode::write)
      .execute(
          "CREATE TABLE planned(id TEXT PRIMARY KEY, seed INTEGER, rounds INTEGER, aggregator TEXT, attack TEXT,"
          " malicious REAL, partition TEXT, dataset TEXT, model TEXT) WITHOUT ROWID;"
          "INSERT INTO planned VALUES('c1', 1, 9, 'x', 'x', 0.9, 'x', 'x', 'x'),"
          " ('c2', 2, 9, 'median', 'zero', 0.2, 'iid', 'glyphs', 'mlp'),"
          " ('c3', 3, 9, 'median', 'zero', 0.2, 'iid', 'glyphs', 'mlp')");
  write_run(folder / "s/cells/c1", {.metrics = {{"accuracy", {0.5}}}});
  fs::create_directories(folder / "s/cells/c3");
  std::ofstream(folder / "s/cells/c3/results.sqlite") << std::string(5000, '?');
  const ResultsView view = ResultsView::load(Places{folder / "s"}, Detail::federation);
  EXPECT_EQ(rows_of(view.database(), "SELECT id, status, aggregator, attack, rounds FROM run WHERE id != 'c1'"),
            "c2|missing|median|zero|9\nc3|damaged|median|zero|9\n");
  EXPECT_EQ(rows_of(view.database(), "SELECT aggregator FROM run WHERE id = 'c1'"), "krum\n");  // as it ran
  EXPECT_EQ(rows_of(view.database(), "SELECT reason LIKE '%not a database%' FROM run WHERE id = 'c3'"), "1\n");
}

TEST(ResultsView, runs_outside_sweeps_lie_on_what_differs_between_them) {
  const fs::path folder = fresh_folder();
  write_run(folder / "b", {.rule = "median", .seed = 10});
  write_run(folder / "a", {.rule = "krum", .seed = 9});
  const ResultsView view = ResultsView::load(Places{folder}, Detail::federation);
  EXPECT_EQ(rows_of(view.database(), "SELECT cell, axis, value FROM coordinate"),
            "1|aggregator|krum\n1|seed|9\n2|aggregator|median\n2|seed|10\n");
  EXPECT_EQ(rows_of(view.database(), "SELECT axis, position, value FROM axis_value"),
            "aggregator|0|krum\naggregator|1|median\nseed|0|9\nseed|1|10\n");
}

TEST(ResultsView, equal_names_are_told_apart_and_no_place_counts_twice) {
  const fs::path folder = fresh_folder();
  for (const char* name : {"x", "y"}) {
    write_sweep(folder / name, "same", {{"c1", {{"seed", "1"}}}});
    write_run(folder / name / "cells/c1", {});
  }
  const ResultsView view = ResultsView::load(Places{folder / "y", folder, folder / "x/../x"}, Detail::federation);
  EXPECT_EQ(rows_of(view.database(), "SELECT run, sweep FROM run"), "1|same\n2|same#2\n");
}

/// A run with selections, money and numbers of agents, small enough to add up by hand.
void write_detailed_run(const fs::path& directory) {
  write_run(directory, {.attack = "zero", .identity = std::string(64, 'a')});
  const auto sink = open_sqlite_sink(directory / "results.sqlite");
  for (const std::uint32_t round : {1U, 2U}) {
    RoundRecord record;
    record.round = {round};
    record.selections.push_back({{0}, SelectionOutcome::accepted, 5, 1.0, 0.75, std::nullopt});
    record.selections.push_back({{1},
                                 round == 1 ? SelectionOutcome::accepted : SelectionOutcome::late,
                                 5,
                                 1.0,
                                 round == 1 ? 0.25 : 0.0,
                                 std::nullopt});
    record.selections.push_back({{8}, SelectionOutcome::rejected, 5, 1.0, 0.0, std::nullopt});
    if (round == 1)
      record.selections.push_back({{8}, SelectionOutcome::accepted, 5, 1.0, 1.0, std::nullopt, first_buyer - 1});
    record.add("update_norm", 2.0 * round, 0);
    record.add("cosine_to_aggregate", 0.5, 0);
    record.add("local_loss", 9.0, 0);
    record.add("accuracy", 0.5);
    record.transfers.push_back({"payment", -1, 0, 300});
    record.transfers.push_back({"penalty", 0, 8, 100});
    record.requests.push_back({"user", "inf_dir", "read", 7, 4, 1, 2, 300});
    record.pairs.push_back({"inf_dir", 7, round, 0.5 * round, round == 1, false});
    record.processes.push_back({0, 1000, 1});
    sink->commit(record);
  }
}

TEST(ResultsView, agents_and_selections_are_summed_up) {
  const fs::path folder = fresh_folder();
  write_detailed_run(folder / "r");
  const ResultsView view = ResultsView::load(Places{folder / "r"}, Detail::federation);
  const Database& db = view.database();
  // Agent 0: norms 2 and 4, income 2 * (300 - 100); agent 8: paid 100 twice.
  EXPECT_EQ(rows_of(db, "SELECT * FROM agent_summary WHERE agent IN (0, 1, 2, 8)"),
            "1|0|client|-1|5|2|2|1.5|3.0|0.5|400|null\n1|1|client|-1|5|2|1|0.25|null|null|0|null\n"
            "1|2|client|-1|5|0|0|0.0|null|null|0|null\n1|8|client|0|5|2|0|0.0|null|null|200|null\n");
  EXPECT_EQ(rows_of(db, "SELECT * FROM selection_summary"),
            "1|1|-3|accepted|1|1|1.0\n1|1|-2|accepted|0|2|1.0\n1|1|-2|rejected|1|1|0.0\n1|2|-2|accepted|0|1|0.75\n1|2|-"
            "2|late|0|1|0.0\n"
            "1|2|-2|rejected|1|1|0.0\n");
  EXPECT_EQ(rows_of(db, "SELECT DISTINCT agent FROM metric"), "-1\n");
  EXPECT_EQ(rows_of(db, "SELECT (SELECT count(*) FROM selection), (SELECT count(*) FROM process)"), "0|0\n");
}

/// Four pairs of one attack, of which the edges have the first and third score, and the last none.
void write_run_with_pairs(const fs::path& directory) {
  write_run(directory, {});
  RoundRecord record;
  record.round = {1};
  record.pairs = {{"a", 7, 1, 0.9, true, true},
                  {"a", 7, 2, 0.7, false, true},
                  {"a", 8, 1, 0.2, true, false},
                  {"a", 8, 3, std::nullopt, false, false},
                  {"b", 7, 1, 1.0, true, true}};  // edges alone: no curve
  open_sqlite_sink(directory / "results.sqlite")->commit(record);
}

TEST(ResultsView, pairs_are_summed_up_by_attack) {
  const fs::path folder = fresh_folder();
  write_run_with_pairs(folder / "r");
  for (const Detail detail : {Detail::federation, Detail::everything}) {
    const ResultsView view = ResultsView::load(Places{folder / "r"}, detail);
    const Database& db = view.database();
    EXPECT_EQ(rows_of(db, "SELECT attack, point, x, y FROM pair_curve WHERE curve = 'roc'"),
              "a|0|0.0|0.0\na|1|0.0|0.5\na|2|0.5|0.5\na|3|0.5|1.0\na|4|1.0|1.0\n");
    EXPECT_EQ(rows_of(db, "SELECT attack, point, x, round(y, 3) FROM pair_curve WHERE curve = 'precision_recall'"),
              "a|0|0.5|1.0\na|1|0.5|0.5\na|2|1.0|0.667\na|3|1.0|0.5\n");
    // Of four pairs the ranks 1 to 4 lie at 0.125, 0.375, 0.625 and 0.875 of the way.
    EXPECT_EQ(rows_of(db, "SELECT part, edges, others FROM pair_rank WHERE attack = 'a' AND edges + others > 0"),
              "2|0|1\n7|1|0\n12|0|1\n17|1|0\n");
    EXPECT_EQ(rows_of(db, "SELECT count(*) FROM pair_rank WHERE attack = 'a'"), "20\n");
    EXPECT_EQ(rows_of(db, "SELECT count(*) FROM pair"), detail == Detail::federation ? "0\n" : "5\n");
  }
  EXPECT_EQ(rows_of(ResultsView::load(Places{folder / "r"}, Detail::totals).database(),
                    "SELECT (SELECT count(*) FROM pair_curve), (SELECT count(*) FROM pair)"),
            "0|0\n");
}

TEST(ResultsView, results_of_before_a_table_have_no_rows_of_it) {
  const fs::path folder = fresh_folder();
  write_run(folder / "r", {.metrics = {{"accuracy", {0.5}}}});
  { Database(folder / "r/results.sqlite", Database::Mode::write).execute("DROP TABLE request; DROP TABLE pair"); }
  for (const Detail detail : {Detail::totals, Detail::federation, Detail::everything}) {
    const ResultsView view = ResultsView::load(Places{folder / "r"}, detail);
    EXPECT_EQ(
        rows_of(view.database(), "SELECT status, (SELECT count(*) FROM metric), (SELECT count(*) FROM pair) FROM run"),
        "done|1|0\n");
  }
  // Who goes on with such a run makes them.
  open_sqlite_sink(folder / "r/results.sqlite");
  EXPECT_EQ(rows_of(Database(folder / "r/results.sqlite", Database::Mode::read), "SELECT count(*) FROM pair"), "0\n");
}

TEST(ResultsView, totals_are_what_the_numbers_of_tables_come_from) {
  const fs::path folder = fresh_folder();
  write_detailed_run(folder / "r");
  {
    RoundRecord third;
    third.round = {3};
    third.metrics.push_back({"class_accuracy", 0.5, -1, 2});
    third.traffic.push_back({"update", 1, 100});
    third.phases.push_back({"train", 1.0, 1.0});
    open_sqlite_sink(folder / "r/results.sqlite")->commit(third);
  }
  const ResultsView view = ResultsView::load(Places{folder / "r"}, Detail::totals);
  const Database& db = view.database();
  EXPECT_EQ(rows_of(db, "SELECT round, name, value FROM metric"), "1|accuracy|0.5\n2|accuracy|0.5\n");
  EXPECT_EQ(rows_of(db, "SELECT (SELECT count(*) FROM round), (SELECT sum(bytes) FROM traffic), seconds FROM run"),
            "3|100|1.5\n");
  for (const char* left_out : {"agent_summary", "ledger", "phase", "selection_summary", "agent"}) {
    EXPECT_EQ(rows_of(db, fmt::format("SELECT count(*) FROM {}", left_out)), "0\n") << left_out;
  }
}

TEST(ResultsView, everything_is_every_row_of_every_table) {
  const fs::path folder = fresh_folder();
  write_detailed_run(folder / "r");
  const ResultsView view = ResultsView::load(Places{folder / "r"}, Detail::everything);
  const Database source(folder / "r/results.sqlite", Database::Mode::read);
  for (const ViewTable& table : view_tables()) {
    if (!table.copied) continue;
    const std::string order = "ORDER BY " + std::string(table.key.substr(5));
    std::string columns;
    for (const ViewColumn& column : table.columns.subspan(1))
      columns += (columns.empty() ? "" : ", ") + std::string(column.name);
    const auto rows = [&](const Database& db) {
      return rows_of(db, fmt::format("SELECT {} FROM {} {}", columns, table.name, order));
    };
    EXPECT_EQ(rows(view.database()), rows(source)) << table.name;
  }
}

TEST(ResultsView, a_run_is_read_while_it_is_written) {
  const fs::path folder = fresh_folder();
  write_run(folder / "r", {.metrics = {{"accuracy", {0.5}}}, .status = "running"});
  const auto writer = open_sqlite_sink(folder / "r/results.sqlite");
  FileLock lock;
  ASSERT_TRUE(lock.take(folder / "r/lock"));
  RoundRecord second;
  second.round = {2};
  second.add("accuracy", 0.75);
  writer->commit(second);  // still in the write-ahead log
  const ResultsView view = ResultsView::load(Places{folder / "r"}, Detail::federation);
  EXPECT_EQ(rows_of(view.database(), "SELECT rounds_done, status FROM run"), "2|running\n");
  EXPECT_EQ(rows_of(view.database(), "SELECT round, value FROM metric"), "1|0.5\n2|0.75\n");
}

TEST(ResultsView, a_status_that_no_run_has_is_refused) {
  const fs::path folder = fresh_folder();
  write_run(folder / "r", {.metrics = {{"accuracy", {0.5}}}, .status = "asleep"});
  EXPECT_THAT(refusal({folder / "r"}), HasSubstr("no run has the status \"asleep\""));
}

TEST(ResultsView, a_run_that_nobody_is_at_was_interrupted) {
  const fs::path folder = fresh_folder();
  write_run(folder / "r", {.metrics = {{"accuracy", {0.5}}}, .status = "running"});
  { std::ofstream(folder / "r/lock"); }
  const auto status = [&] {
    return rows_of(ResultsView::load(Places{folder / "r"}, Detail::federation).database(), "SELECT status FROM run");
  };
  EXPECT_EQ(status(), "interrupted\n");
  FileLock lock;
  ASSERT_TRUE(lock.take(folder / "r/lock"));
  EXPECT_EQ(status(), "running\n");
}

/// A run as a cell of a sweep has it: its directory is called by its identity.
MadeRun with_identity(char digit, const std::string& status, double accuracy) {
  return {.metrics = {{"accuracy", {accuracy}}}, .status = status, .identity = std::string(64, digit)};
}

TEST(ResultsView, a_run_that_is_given_several_times_is_there_once) {
  const fs::path folder = fresh_folder();
  const std::string a(12, 'a');
  const std::string b(12, 'b');
  const std::string c(12, 'c');
  for (const char* name : {"x", "y"}) {
    write_sweep(folder / name, name,
                {{a, {{"seed", "1"}}}, {b, {{"seed", "2"}}}, {name == std::string("x") ? c : "own", {{"seed", "3"}}}});
  }
  write_run(folder / "x/cells" / a, with_identity('a', "done", 0.5));
  write_run(folder / "y/cells" / a, with_identity('a', "done", 0.5));
  write_run(folder / "x/cells" / b, with_identity('b', "failed", 0.1));
  write_run(folder / "y/cells" / b, with_identity('b', "done", 0.75));  // got further
  write_run(folder / "y/cells/own", with_identity('d', "done", 0.25));
  write_run(folder / "plain/c", with_identity('c', "done", 0.625));  // x never started it
  write_run(folder / "plain/e", with_identity('e', "done", 0.125));
  write_run(folder / "plain/e2", with_identity('e', "running", 0.0));
  const ResultsView view = ResultsView::load(Places{folder / "x", folder / "y", folder / "plain"}, Detail::federation);
  const Database& db = view.database();

  EXPECT_EQ(view.repeated(), 4U);
  EXPECT_EQ(rows_of(db, "SELECT run, substr(id, 1, 1), sweep, status, value FROM run JOIN metric USING (run)"),
            "1|a|x|done|0.5\n2|b|y|done|0.75\n3|c|x|done|0.625\n4|o|y|done|0.25\n5|e||done|0.125\n");
  EXPECT_EQ(rows_of(db, "SELECT cell.sweep, number, run FROM cell ORDER BY cell"),
            "x|0|1\nx|1|2\nx|2|3\ny|0|1\ny|1|2\ny|2|4\n|0|5\n");
  EXPECT_EQ(rows_of(db, "SELECT count(DISTINCT run) FROM setting"), "5\n");
}

TEST(ResultsView, a_run_beside_its_sweep_is_the_cell_of_the_sweep_in_either_order) {
  const fs::path folder = fresh_folder();
  const std::string a(12, 'a');
  write_sweep(folder / "x", "x", {{a, {{"seed", "1"}}}});
  write_run(folder / "x/cells" / a, with_identity('a', "done", 0.5));
  for (const Places& places :
       {Places{folder / "x", folder / "x/cells" / a}, Places{folder / "x/cells" / a, folder / "x"}}) {
    const ResultsView view = ResultsView::load(places, Detail::federation);
    EXPECT_EQ(rows_of(view.database(), "SELECT cell.sweep, run, run.sweep FROM cell JOIN run USING (run)"), "x|1|x\n");
    EXPECT_EQ(rows_of(view.database(), "SELECT DISTINCT sweep FROM axis"), "x\n");
  }
}

TEST(ResultsView, what_is_no_result_is_named) {
  const fs::path folder = fresh_folder();
  const fs::path file = folder / "r/results.sqlite";
  EXPECT_THAT(refusal({folder}), HasSubstr(folder.string() + ": holds no results.sqlite or sweep.sqlite"));
  EXPECT_THAT(refusal({folder / "none"}), HasSubstr("none: No such file or directory"));

  fs::create_directories(folder / "r");
  std::ofstream(file) << "this is text, and longer than the header of a database would be: " << std::string(200, 'x');
  EXPECT_EQ(refusal({folder / "r"}), file.string() + ": file is not a database");

  fs::remove(file);
  write_run(folder / "r", {});
  { Database(file, Database::Mode::write).execute("PRAGMA user_version = 1"); }
  const std::string what =
      ": has results of schema version 1, this program reads version 3; run it again with this "
      "program, or look at it with the one that wrote it";
  EXPECT_EQ(refusal({folder / "r"}), file.string() + what);

  { Database(file, Database::Mode::write).execute("PRAGMA user_version = 3; DROP TABLE metric"); }
  EXPECT_EQ(refusal({folder / "r"}), file.string() + ": cannot be read: no such table: source.metric");
}

TEST(ResultsView, runs_of_another_version_hide_no_others_and_are_named) {
  const fs::path folder = fresh_folder();
  const auto age = [](const fs::path& run) {
    Database(run / "results.sqlite", Database::Mode::write).execute("PRAGMA user_version = 2");
  };
  write_run(folder / "runs/a", {.metrics = {{"accuracy", {0.5}}}});
  write_run(folder / "runs/old", {});
  age(folder / "runs/old");
  write_sweep(folder / "runs/s", "s", {{"c1", {{"seed", "1"}}}, {"c2", {{"seed", "2"}}}});
  write_run(folder / "runs/s/cells/c1", {.metrics = {{"accuracy", {0.25}}}});
  write_run(folder / "runs/s/cells/c2", {});
  age(folder / "runs/s/cells/c2");
  testing::internal::CaptureStderr();
  const ResultsView view = ResultsView::load(Places{folder / "runs"}, Detail::federation);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(
      rows_of(view.database(), "SELECT sweep, status, instr(reason, 'schema version 2') > 0 FROM run ORDER BY 1, 2"),
      "|done|0\ns|damaged|1\ns|done|0\n");
  EXPECT_THAT(said, HasSubstr("runs/old/results.sqlite: has results of schema version 2"));
  EXPECT_THAT(said, HasSubstr("(2 runs are of other versions, and left out)"));
}

TEST(ResultsView, a_damaged_page_is_named_and_not_passed_over) {
  const fs::path folder = fresh_folder();
  write_run(folder / "r", {.metrics = {{"accuracy", std::vector<double>(500, 0.5)}}});
  const fs::path file = folder / "r/results.sqlite";
  const auto size = fs::file_size(file);
  std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
  for (std::uintmax_t at = 4096; at + 8 < size; at += 4096) {  // the head of every page but the first
    out.seekp(static_cast<std::streamoff>(at));
    out << "damaged!";
  }
  out.close();
  EXPECT_THAT(refusal({folder / "r"}), HasSubstr(file.string() + ": "));
}

TEST(ResultsView, a_database_without_tables_is_a_run_that_never_started) {
  const fs::path folder = fresh_folder();
  write_sweep(folder / "s", "s", {{"c1", {{"seed", "1"}}}});
  fs::create_directories(folder / "s/cells/c1");
  { const Database empty(folder / "s/cells/c1/results.sqlite", Database::Mode::write); }
  const ResultsView view = ResultsView::load(Places{folder / "s"}, Detail::federation);
  EXPECT_EQ(rows_of(view.database(), "SELECT status FROM run"), "missing\n");
}

TEST(ResultsView, a_run_that_could_not_begin_has_a_reason_and_no_columns) {
  const fs::path folder = fresh_folder();
  open_sqlite_sink(folder / "results.sqlite")->describe({{"status", "crashed"}, {"reason", "signal 9"}});
  const ResultsView view = ResultsView::load(Places{folder}, Detail::federation);
  EXPECT_EQ(
      rows_of(view.database(), "SELECT status, reason, rounds_done, seed, rounds, aggregator, malicious FROM run"),
      "crashed|signal 9|0|null|null|null|null\n");
}

TEST(ResultsView, without_measurements_two_attempts_at_one_run_are_equal) {
  const fs::path folder = fresh_folder();
  const auto dump_of = [&](const std::string& name, double seconds, const std::string& started) {
    write_detailed_run(folder / name);
    {
      const auto sink = open_sqlite_sink(folder / name / "results.sqlite");
      sink->describe({{"started", started}, {"ranks", started}, {"failures", started}, {"seconds_loading", started}});
      RoundRecord third;
      third.round = {3};
      third.phases.push_back({"train", seconds, seconds});
      sink->commit(third);
    }
    ResultsView view = ResultsView::load(Places{folder / name}, Detail::everything);
    view.remove_measurements();
    std::string dump;
    for (const ViewTable& table : view_tables()) {
      dump += rows_of(view.database(), "SELECT '" + std::string(table.name) + "', * FROM " + std::string(table.name));
    }
    return dump;
  };
  const std::string one = dump_of("one", 1.0, "1");
  EXPECT_EQ(one, dump_of("two", 2.0, "2"));
  EXPECT_THAT(one, HasSubstr("metric|1|1|accuracy|-1|-1|0.5"));
  EXPECT_THAT(one, HasSubstr("fact|1|status|done"));
}

}  // namespace
}  // namespace souk::results_view_test
