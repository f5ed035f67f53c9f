#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.hpp"
#include "sim/base/random.hpp"
#include "tests/analysis/table_world.hpp"

namespace souk::table_pivot_test {
namespace {

using testing::HasSubstr;
using testing::Not;

const TableShape by_attack{.rows = {"aggregator"}, .cols = {"attack"}, .metrics = {"accuracy"}};

TEST(PivotTable, has_means_and_deviations_in_the_order_of_the_axes) {
  TableWorld world;
  for (const int seed : {1, 2}) {
    world.add("median", "zero", seed, seed == 1 ? 0.5 : 0.7);
    world.add("median", "none", seed, 0.75);
    world.add("krum", "zero", seed, 0.25);
    world.add("krum", "none", seed, seed == 1 ? 0.1 : 0.3);
  }
  const ResultTable table = pivot_tables(world.source(), by_attack, Statistic::mean_deviation).at(0);
  EXPECT_EQ(table.title, "test accuracy (accuracy), in the last round that recorded it");
  EXPECT_EQ(body_of(table),
            "aggregator|zero|none\nmedian|0.6000±0.1414|0.7500±0.0000\nkrum|0.2500±0.0000|0.2000±0.1414\n");
  EXPECT_EQ(notes_of(table),
            "Statistic: mean ± sample standard deviation over seeds.\nValues are taken over seed (1, 2).\n");
}

TEST(PivotTable, marks_every_run_that_is_not_done_and_never_counts_it) {
  TableWorld world;
  world.add("krum", "zero", 1, 0.5);
  world.add("krum", "zero", 2, ended("diverged"));
  world.add("krum", "zero", 3, ended("failed"));
  world.add("krum", "zero", 4, std::nullopt);
  for (const int seed : {1, 2, 3, 4}) world.add("krum", "nan", seed, ended("diverged"));
  for (const int seed : {1, 2, 3, 4}) world.add("krum", "inf", seed, std::nullopt);
  for (const int seed : {1, 2}) world.add("krum", "mimic", seed, ended("crashed"));
  for (const int seed : {3, 4}) world.add("krum", "mimic", seed, ended("timed_out"));
  world.add("krum", "none", 1, MadeRun{.metrics = {{"loss", {1.0}}}});
  world.add("median", "none", 1, ended("running"));
  const ResultTable table = pivot_tables(world.source(), by_attack, Statistic::mean).at(0);
  EXPECT_EQ(body_of(table),
            "aggregator|zero|nan|inf|mimic|none\n"
            "krum|0.5000 (diverged 1/4, failed 1/4, missing 1/4)|diverged|-|crashed 2/4, timed_out 2/4|n/a\n"
            "median|||||interrupted\n");
  EXPECT_THAT(notes_of(table),
              HasSubstr("16 runs without a final result, in no value: 2 crashed, 5 diverged, 1 failed, "
                        "1 interrupted, 5 missing, 2 timed_out."));
}

TEST(PivotTable, of_random_sweeps_is_what_counting_by_hand_gives) {
  TableWorld world;
  Stream stream(11, StreamKey{Purpose::partition, AgentId{0}, RoundIndex{0}});
  const std::vector<std::string> statuses{"done", "done", "failed", "diverged", "missing"};
  std::map<std::pair<std::string, std::string>, std::pair<double, std::map<std::string, int>>> expected;
  for (int seed = 1; seed <= 5; ++seed) {
    for (const std::string rule : {"krum", "median", "mean"}) {
      for (const std::string attack : {"zero", "alie"}) {
        const std::string status = statuses[stream.below(5)];
        const double accuracy = stream.uniform();
        auto& [sum, counts] = expected[{rule, attack}];
        ++counts[status];
        if (status == "done") sum += accuracy;
        const MadeRun run{.metrics = {{"accuracy", {accuracy}}}, .status = status};
        world.add(rule, attack, seed, status == "missing" ? std::nullopt : std::optional(run));
      }
    }
  }
  const ResultTable table = pivot_tables(world.source(), by_attack, Statistic::mean).at(0);
  for (const auto& row : table.rows) {
    for (std::size_t c = 1; c < row.size(); ++c) {
      auto [sum, counts] = expected.at({row[0], table.header[c]});
      const int done = counts["done"];
      counts.erase("done");
      if (done > 0) {
        EXPECT_NEAR(std::stod(row[c]), sum / done, 0.00005 + 1e-12);
      }
      for (const auto& [status, count] : counts) EXPECT_THAT(row[c], HasSubstr(fmt::format("{} {}/5", status, count)));
    }
  }
}

TEST(PivotTable, a_run_that_cells_share_counts_once) {
  const std::filesystem::path folder = fresh_folder();
  write_run(folder / "cells/a", {.metrics = {{"accuracy", {0.2}}}});
  write_run(folder / "cells/b", {.metrics = {{"accuracy", {0.8}}}});
  write_sweep(folder, "s",
              {{"a", {{"share", "0.1"}, {"seed", "1"}}},
               {"a", {{"share", "0.2"}, {"seed", "1"}}},
               {"b", {{"share", "0.2"}, {"seed", "2"}}}});
  const std::vector<std::filesystem::path> places{folder};
  const ResultsView view = ResultsView::load(places, ResultsView::Detail::federation);
  const Frame frame(view.database());
  const TableSource source{.view = view.database(), .frame = frame, .round = {}};
  const TableShape all{.rows = {"aggregator"}, .cols = {}, .metrics = {"accuracy"}};
  EXPECT_EQ(body_of(pivot_tables(source, all, Statistic::mean).at(0)), "aggregator|all\nkrum|0.5000\n");
  const TableShape by_share{.rows = {"share"}, .cols = {}, .metrics = {"accuracy"}};
  EXPECT_EQ(body_of(pivot_tables(source, by_share, Statistic::mean).at(0)), "share|all\n0.1|0.2000\n0.2|0.5000\n");
}

TEST(PivotTable, shows_every_statistic_of_1_2_6) {
  TableWorld world;
  for (const int seed : {1, 2, 3}) world.add("krum", "zero", seed, seed == 3 ? 0.6 : 0.1 * seed);
  const auto shown = [&](const std::string& statistic) {
    return pivot_tables(world.source(), by_attack, parse_statistic(statistic)).at(0).rows.at(0).at(1);
  };
  // mean 0.3, squares 0.04 + 0.01 + 0.09 = 0.14 over 2; t(0.975, 2) = 4.3027, times sqrt(0.07 / 3) = 0.6572
  EXPECT_EQ(shown("mean±std"), "0.3000±0.2646");
  EXPECT_EQ(shown("mean"), "0.3000");
  EXPECT_EQ(shown("std"), "0.2646");
  EXPECT_EQ(shown("ci95"), "0.3000±0.6572");
  EXPECT_EQ(shown("worst"), "0.1000");
  EXPECT_EQ(shown("best"), "0.6000");
  EXPECT_EQ(shown("median"), "0.2000");
  EXPECT_EQ(shown("min"), "0.1000");
  EXPECT_EQ(shown("max"), "0.6000");
  EXPECT_EQ(shown("count"), "3");
  EXPECT_THAT(refusal([&] { shown("mode"); }), HasSubstr("there is no statistic 'mode'; there are mean±std, mean"));
}

TEST(PivotTable, worst_is_diverged_where_a_run_diverged) {
  TableWorld world;
  world.add("krum", "zero", 1, 0.5);
  world.add("krum", "zero", 2, ended("diverged"));
  world.add("median", "zero", 1, 0.5);
  world.add("median", "zero", 2, ended("failed"));
  const auto shown = [&](Statistic statistic) {
    return body_of(pivot_tables(world.source(), by_attack, statistic).at(0));
  };
  EXPECT_EQ(shown(Statistic::worst), "aggregator|zero\nkrum|diverged (diverged 1/2)\nmedian|0.5000 (failed 1/2)\n");
  EXPECT_EQ(shown(Statistic::min), "aggregator|zero\nkrum|0.5000 (diverged 1/2)\nmedian|0.5000 (failed 1/2)\n");
}

TEST(PivotTable, has_a_tidy_row_per_place_for_programs) {
  TableWorld world;
  world.add("krum", "zero", 1, 0.25);
  world.add("krum", "zero", 2, 0.75);
  world.add("krum", "none", 1, ended("crashed"));
  world.add("median", "none", 1, 0.1);
  world.add("median", "none", 2, ended("diverged"));
  world.add("median", "none", 3, std::nullopt);
  const auto csv = [&](const TableShape& shape, Statistic statistic) {
    return render(pivot_tables(world.source(), shape, statistic), TableFormat::csv);
  };
  EXPECT_EQ(csv(by_attack, Statistic::mean_deviation),
            "metric,aggregator,attack,mean,std,runs,n,diverged,failed,unfinished\n"
            "accuracy,krum,zero,0.5,0.3535533905932738,2,2,0,0,0\naccuracy,krum,none,,,1,0,0,1,0\n"
            "accuracy,median,none,0.1,,3,1,1,0,1\n");
  const TableShape all{.rows = {}, .cols = {"metric"}, .metrics = {"accuracy", "bytes"}};
  EXPECT_EQ(csv(all, Statistic::max),
            "metric,max,runs,n,diverged,failed,unfinished\naccuracy,0.75,6,3,1,1,1\nbytes,200,6,3,1,1,1\n");
  const TableShape turned{.rows = {"metric"}, .cols = {"aggregator"}, .metrics = {"accuracy"}};
  EXPECT_EQ(csv(turned, Statistic::count),
            "metric,aggregator,count,runs,n,diverged,failed,unfinished\naccuracy,krum,2,3,2,0,1,0\n"
            "accuracy,median,1,3,1,1,0,1\n");
}

TEST(PivotTable, a_damaged_run_is_a_failed_one) {
  TableWorld world;
  world.add("krum", "zero", 1, ended("damaged"));
  EXPECT_EQ(render(pivot_tables(world.source(), by_attack, Statistic::mean), TableFormat::csv),
            "metric,aggregator,attack,mean,runs,n,diverged,failed,unfinished\naccuracy,krum,zero,,1,0,0,1,0\n");
  EXPECT_EQ(body_of(pivot_tables(world.source(), by_attack, Statistic::mean).at(0)), "aggregator|zero\nkrum|damaged\n");
}

TEST(PivotTable, refuses_a_column_that_is_named_twice_and_a_round_that_no_run_reached) {
  TableWorld world;
  world.add("krum", "zero", 1, 0.5);
  const TableShape twice{.rows = {"attack"}, .cols = {"attack"}, .metrics = {"accuracy"}};
  EXPECT_EQ(refusal([&] { pivot_tables(world.source(), twice, Statistic::mean); }),
            "the rows and columns of a table name 'attack' twice");
  EXPECT_EQ(refusal([&] { pivot_tables(world.source("3"), by_attack, Statistic::mean); }),
            "--round 3: no run got further than round 2");
  EXPECT_EQ(refusal([&] { pivot_tables(world.source("2"), by_attack, Statistic::mean); }), "accepted");
}

TEST(PivotTable, worst_is_the_largest_of_what_should_be_small) {
  TableWorld world;
  for (const int seed : {1, 2}) world.add("krum", "zero", seed, MadeRun{.metrics = {{"asr", {0.2 * seed}}}});
  TableShape shape = by_attack;
  shape.metrics = {"asr"};
  EXPECT_EQ(pivot_tables(world.source(), shape, Statistic::worst).at(0).rows.at(0).at(1), "0.4000");
  shape.metrics = {"bytes"};
  EXPECT_EQ(pivot_tables(world.source(), shape, Statistic::best).at(0).rows.at(0).at(1), "100.0");
  shape.metrics = {"rounds_done"};
  EXPECT_THAT(refusal([&] { pivot_tables(world.source(), shape, Statistic::worst); }), HasSubstr("has no worst"));
}

TEST(PivotTable, takes_the_round_it_is_told) {
  TableWorld world;
  world.add("krum", "zero", 1, MadeRun{.metrics = {{"accuracy", {0.1, 0.9, 0.5, 0.3}}, {"loss", {1, 1, 1, 1, 1, 1}}}});
  const auto shown = [&](const std::string& round) {
    return pivot_tables(world.source(round), by_attack, Statistic::mean).at(0).rows.at(0).at(1);
  };
  EXPECT_EQ(shown("last"), "0.3000");
  EXPECT_EQ(shown("max"), "0.9000");
  EXPECT_EQ(shown("min"), "0.1000");
  EXPECT_EQ(shown("2"), "0.9000");
  EXPECT_EQ(shown("6"), "n/a");
  EXPECT_EQ(shown("last:2"), "0.4000");
  for (const char* bad : {"first", "last:0", "last:", "-1", "2.5", ""}) {
    EXPECT_THAT(refusal([&] { shown(bad); }), HasSubstr("expected usual, last, max, min, mean, a round, or last:K"))
        << bad;
  }
}

TEST(PivotTable, deviations_and_intervals_are_over_seeds_and_never_over_other_axes) {
  TableWorld world;
  for (const int seed : {1, 2, 3}) {
    for (const double rate : {0.0, 0.5}) {
      MadeRun run{.metrics = {{"accuracy", {rate + 0.1 * seed}}}};
      world.add("krum", "none", seed, run, {{"rate", rate > 0.0 ? "high" : "low"}});
    }
  }
  const TableShape shape{.rows = {"aggregator"}, .cols = {}, .metrics = {"accuracy"}};
  EXPECT_EQ(body_of(pivot_tables(world.source(), shape, Statistic::mean_deviation)[0]),
            "aggregator|all\nkrum|0.4500±0.1000\n");
  // t(0.975, 2) * 0.1 / sqrt(3)
  EXPECT_EQ(body_of(pivot_tables(world.source(), shape, Statistic::ci95)[0]), "aggregator|all\nkrum|0.4500±0.2484\n");
  // One seed has no spread, however many rates are taken together.
  const TableShape of_seeds{.rows = {"seed"}, .cols = {}, .metrics = {"accuracy"}};
  EXPECT_EQ(body_of(pivot_tables(world.source(), of_seeds, Statistic::mean_deviation)[0]),
            "seed|all\n1|0.3500\n2|0.4500\n3|0.5500\n");
}

TEST(PivotTable, rows_that_were_told_of_different_numbers_of_attackers_are_named) {
  TableWorld world;
  for (const auto& [attack, f] : {std::pair("none", 0.0), std::pair("zero", 3.0)}) {
    world.add("krum", attack, 1, MadeRun{.metrics = {{"accuracy", {0.5}}, {"tolerated_f", {f}}}});
    world.add("median", attack, 1, MadeRun{.metrics = {{"accuracy", {0.5}}, {"tolerated_f", {3.0}}}});
  }
  const TableShape shape{.rows = {"aggregator"}, .cols = {"attack"}, .metrics = {"accuracy"}};
  const std::string notes = notes_of(pivot_tables(world.source(), shape, Statistic::mean)[0]);
  EXPECT_THAT(notes, testing::HasSubstr("ran different rules: krum (0 to 3)."));
}

TEST(PivotTable, rates_of_rounds_are_means_over_the_rounds_and_others_the_last) {
  TableWorld world;
  world.add("krum", "zero", 1,
            MadeRun{.metrics = {{"tpr", {0.25, 0.5, 1.0, 1.0}},
                                {"accuracy", {0.25, 0.5, 0.75, 1.0}},
                                {"malicious_income", {1, 2, 3, 4}}}});
  const TableShape shape{.rows = {"aggregator"}, .cols = {}, .metrics = {"tpr", "accuracy", "malicious_income"}};
  const auto usual = pivot_tables(world.source("usual"), shape, Statistic::mean);
  EXPECT_EQ(body_of(usual[0]), "aggregator|all\nkrum|0.6875\n");
  EXPECT_THAT(usual[0].title, testing::HasSubstr("mean over the rounds"));
  EXPECT_EQ(body_of(usual[1]), "aggregator|all\nkrum|1.0000\n");
  EXPECT_THAT(usual[1].title, testing::HasSubstr("in the last round"));
  EXPECT_THAT(usual[2].title, testing::HasSubstr("in the last round"));
  EXPECT_EQ(body_of(pivot_tables(world.source("last"), shape, Statistic::mean)[0]), "aggregator|all\nkrum|1.0000\n");
  EXPECT_EQ(body_of(pivot_tables(world.source("mean"), shape, Statistic::mean)[1]), "aggregator|all\nkrum|0.6250\n");
}

TEST(PivotTable, metrics_may_be_columns_or_rows) {
  TableWorld world;
  world.add("krum", "zero", 1, MadeRun{.metrics = {{"accuracy", {0.5}}, {"asr", {0.25}}}, .bytes = 12345});
  world.add("median", "zero", 1, MadeRun{.metrics = {{"accuracy", {0.75}}}, .bytes = 20});
  TableShape shape{.rows = {"aggregator"}, .cols = {"metric"}, .metrics = {"accuracy", "asr", "bytes", "seconds"}};
  EXPECT_EQ(body_of(pivot_tables(world.source(), shape, Statistic::mean).at(0)),
            "aggregator|accuracy|asr|bytes|seconds\nkrum|0.5000|0.2500|12345|1.500\nmedian|0.7500|n/a|20.00|1.500\n");
  shape = {.rows = {"metric"}, .cols = {"aggregator"}, .metrics = {"accuracy", "asr"}};
  EXPECT_EQ(body_of(pivot_tables(world.source(), shape, Statistic::mean).at(0)),
            "metric|krum|median\naccuracy|0.5000|0.7500\nasr|0.2500|n/a\n");
  shape = {.rows = {"metric"}, .cols = {"metric"}, .metrics = {"accuracy"}};
  EXPECT_THAT(refusal([&] { pivot_tables(world.source(), shape, Statistic::mean); }), HasSubstr("cannot both"));
}

TEST(PivotTable, several_columns_make_one_label_and_fields_of_the_scenario_are_columns) {
  TableWorld world;
  world.add("krum", "zero", 1, 0.5);
  world.add("krum", "none", 1, 0.25);
  const TableShape shape{
      .rows = {"aggregator", "attack"}, .cols = {"partition.dirichlet.alpha"}, .metrics = {"accuracy"}};
  EXPECT_EQ(body_of(pivot_tables(world.source(), shape, Statistic::mean).at(0)),
            "aggregator / attack|0.5\nkrum / zero|0.5000\nkrum / none|0.2500\n");
}

TEST(PivotTable, runs_outside_sweeps_say_which_settings_were_averaged) {
  const std::filesystem::path folder = fresh_folder();
  write_run(folder / "a", {.metrics = {{"accuracy", {0.2}}}});
  write_run(folder / "b", {.rule = "tolerated_f: 3 median", .metrics = {{"accuracy", {0.4}}}});
  write_run(folder / "c", {.rule = "tolerated_f: 4 krum", .seed = 2, .metrics = {{"accuracy", {0.4}}}});
  const std::vector<std::filesystem::path> places{folder};
  const ResultsView view = ResultsView::load(places, ResultsView::Detail::federation);
  const Frame frame(view.database());
  const TableSource source{.view = view.database(), .frame = frame, .round = {}};
  const TableShape shape{.rows = {"dataset"}, .cols = {}, .metrics = {"accuracy"}};
  EXPECT_THAT(
      notes_of(pivot_tables(source, shape, Statistic::mean).at(0)),
      HasSubstr("Values are taken over aggregator (krum, median), seed (1, 2), aggregator.tolerated_f (3, 4)."));
}

TEST(PivotTable, an_unknown_column_or_metric_is_named_with_its_neighbour) {
  TableWorld world;
  world.add("krum", "zero", 1, 0.5);
  TableShape shape{.rows = {"agregator"}, .cols = {"attack"}, .metrics = {"accuracy"}};
  EXPECT_THAT(
      refusal([&] { pivot_tables(world.source(), shape, Statistic::mean); }),
      HasSubstr("there is no column 'agregator'; there are seed, name, aggregator, attack, malicious, partition, "
                "dataset, model, status, sweep, and the fields of the scenarios. Did you mean 'aggregator'?"));
  shape = {.rows = {"aggregator"}, .cols = {"attack"}, .metrics = {"acuracy"}};
  EXPECT_THAT(refusal([&] { pivot_tables(world.source(), shape, Statistic::mean); }),
              HasSubstr("no run has recorded 'acuracy'; there are accuracy, bytes, malicious_income_share, "
                        "malicious_weight_share, rounds_done, seconds, virtual_time. Did you mean 'accuracy'?"));
}

TEST(PivotTable, a_sweep_of_which_nothing_is_done_shows_just_that) {
  TableWorld world;
  world.add("krum", "zero", 1, MadeRun{.status = "failed"});
  world.add("krum", "none", 1, std::nullopt);
  EXPECT_EQ(body_of(pivot_tables(world.source(), by_attack, Statistic::mean).at(0)),
            "aggregator|zero|none\nkrum|failed|-\n");
}

TEST(PivotTable, cells_that_never_started_and_have_no_place_are_counted) {
  TableWorld world;
  world.add("krum", "zero", 1, 0.5);
  world.add("krum", "zero", 2, std::nullopt);
  const TableShape shape{.rows = {"model"}, .cols = {}, .metrics = {"accuracy"}};
  const ResultTable table = pivot_tables(world.source(), shape, Statistic::mean).at(0);
  EXPECT_EQ(body_of(table), "model|all\nmlp|0.5000\n");
  EXPECT_THAT(notes_of(table), HasSubstr("1 cell never started and cannot be placed in this table."));
}

TEST(Frame, a_run_is_of_every_sweep_that_has_it) {
  const std::filesystem::path folder = fresh_folder();
  const std::string id(12, 'a');
  for (const char* name : {"x", "y"}) {
    write_sweep(folder / name, name, {{id, {{"seed", "1"}}}});
    write_run(folder / name / "cells" / id, {.metrics = {{"accuracy", {0.5}}}, .identity = std::string(64, 'a')});
  }
  const std::vector<std::filesystem::path> places{folder};
  const ResultsView view = ResultsView::load(places, ResultsView::Detail::federation);
  const Frame frame(view.database());
  EXPECT_THAT(frame.sweeps(), testing::ElementsAre("x", "y"));
  const TableSource source{.view = view.database(), .frame = frame, .round = {}};
  const TableShape by_sweep{.rows = {"sweep"}, .cols = {}, .metrics = {"accuracy"}};
  EXPECT_EQ(body_of(pivot_tables(source, by_sweep, Statistic::count).at(0)), "sweep|all\nx|1\ny|1\n");
  const TableShape pooled{.rows = {"aggregator"}, .cols = {}, .metrics = {"accuracy"}};
  const ResultTable table = pivot_tables(source, pooled, Statistic::count).at(0);
  EXPECT_EQ(body_of(table), "aggregator|all\nkrum|1\n");
  EXPECT_THAT(notes_of(table), HasSubstr("Values are taken over sweep (x, y)."));
}

TEST(Frame, keeps_what_matches_and_orders_numbers_by_size) {
  TableWorld world;
  for (const int seed : {10, 9, 100}) world.add("krum", "zero", seed, 0.5);
  const TableSource source = world.source();
  EXPECT_THAT(source.frame.labels("seed"), testing::ElementsAre("10", "9", "100"));  // the axis has its own order
  EXPECT_THAT(source.frame.labels("participants.clients"), testing::ElementsAre("10"));
  world.frame().keep([&](const FrameCell& cell) { return source.frame.value(cell, "seed") != "9"; });
  EXPECT_THAT(source.frame.labels("seed"), testing::ElementsAre("10", "100"));
}

TEST(DetailFor, quantities_of_agents_need_their_tables) {
  using Detail = ResultsView::Detail;
  EXPECT_EQ(detail_for({"accuracy", "seconds", "bytes", "virtual_time", "rounds_done"}), Detail::totals);
  EXPECT_EQ(detail_for({"accuracy", "malicious_weight_share"}), Detail::federation);
  EXPECT_EQ(detail_for({"malicious_income_share"}), Detail::federation);
}

TEST(ClassMetrics, are_metrics_by_class_or_of_all_classes) {
  const std::filesystem::path folder = fresh_folder();
  write_run(folder / "r", {});
  {
    const auto sink = open_sqlite_sink(folder / "r/results.sqlite");
    RoundRecord record;
    record.round = {1};
    record.add("accuracy", 0.5);
    record.add("class_accuracy", 0.25, -1, 0);
    record.add("class_accuracy", 0.75, -1, 12);
    sink->commit(record);
  }
  EXPECT_EQ(detail_for({"class_accuracy.12"}), ResultsView::Detail::federation);
  EXPECT_EQ(detail_for({"class_accuracy"}), ResultsView::Detail::federation);
  const std::vector<std::filesystem::path> places{folder / "r"};
  const ResultsView view = ResultsView::load(places, ResultsView::Detail::federation);
  EXPECT_THAT(with_classes(view.database(), {"class_accuracy", "accuracy"}),
              testing::ElementsAre("class_accuracy.0", "class_accuracy.12", "accuracy"));
  EXPECT_THAT(run_values(view.database(), "class_accuracy.12", {}), testing::ElementsAre(testing::Pair(1, 0.75)));
  EXPECT_THAT(refusal([&] { run_values(view.database(), "class_accuracy.3", {}); }),
              testing::HasSubstr("no run has recorded 'class_accuracy.3'; there are accuracy, class_accuracy.0"));
  EXPECT_EQ(metric_info("class_accuracy.12").title, "test accuracy of a class, 12");
}

TEST(MaliciousShares, of_weight_and_income_are_added_up) {
  const std::filesystem::path folder = fresh_folder();
  write_run(folder / "r", {.attack = "zero {} } market { rivals { name: \"b\" } unit_price"});
  {
    const auto sink = open_sqlite_sink(folder / "r/results.sqlite");
    RoundRecord record;
    record.round = {1};
    record.selections.push_back({{0}, SelectionOutcome::accepted, 5, 1.0, 0.75, std::nullopt});
    record.selections.push_back({{8}, SelectionOutcome::accepted, 5, 1.0, 0.25, std::nullopt});
    record.transfers = {{"payment", -1, 0, 600}, {"payment", -1, 9, 200}, {"fee", 0, -1, 500}};
    record.selections.push_back({{8}, SelectionOutcome::accepted, 5, 1.0, 0.5, std::nullopt, first_buyer - 1});
    record.selections.push_back({{9}, SelectionOutcome::accepted, 5, 1.0, 0.5, std::nullopt, first_buyer - 1});
    record.transfers.push_back({"payment", -1, 1, 100, first_buyer - 1});
    record.transfers.push_back({"payment", -1, 9, 300, first_buyer - 1});
    sink->commit(record);
  }
  write_run(folder / "without", {});
  const std::vector<std::filesystem::path> places{folder / "r", folder / "without"};
  const ResultsView view = ResultsView::load(places, ResultsView::Detail::federation);
  EXPECT_THAT(run_values(view.database(), "malicious_weight_share", {}), testing::ElementsAre(testing::Pair(1, 0.25)));
  EXPECT_THAT(run_values(view.database(), "malicious_income_share", {}), testing::ElementsAre(testing::Pair(1, 0.25)));
  EXPECT_THAT(run_values(view.database(), "buyer.b.malicious_weight_share", {}),
              testing::ElementsAre(testing::Pair(1, 1.0)));
  EXPECT_THAT(run_values(view.database(), "buyer.b.malicious_income_share", {}),
              testing::ElementsAre(testing::Pair(1, 0.75)));
}

}  // namespace
}  // namespace souk::table_pivot_test
