#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.hpp"
#include "tests/analysis/table_world.hpp"

namespace souk::table_modes_test {
namespace {

using testing::HasSubstr;

const TableShape by_attack{.rows = {"aggregator"}, .cols = {"attack"}, .metrics = {"accuracy"}};
const TableShape by_metric{.rows = {"aggregator"}, .cols = {"metric"}, .metrics = {"accuracy"}};
const TableShape by_rule{.rows = {"aggregator"}, .cols = {}, .metrics = {"accuracy"}};

TEST(WorstTable, names_the_attack_whose_mean_is_worst) {
  TableWorld world;
  // The worst run of krum is under zero (0.1), its worst mean under alie: (0.3 + 0.3) / 2 < (0.1 + 0.7) / 2.
  world.add("krum", "zero", 1, 0.1);
  world.add("krum", "zero", 2, 0.7);
  world.add("krum", "alie", 1, 0.3);
  world.add("krum", "alie", 2, 0.3);
  world.add("median", "zero", 1, 0.2);
  world.add("median", "alie", 1, 0.4);
  EXPECT_EQ(body_of(worst_tables(world.source(), by_metric, "attack").at(0)),
            "aggregator|accuracy\nkrum|0.3000 [alie]\nmedian|0.2000 [zero]\n");
}

TEST(WorstTable, divergence_is_worse_than_any_number_and_other_ends_are_marked) {
  TableWorld world;
  world.add("krum", "zero", 1, 0.1);
  world.add("krum", "alie", 1, 0.9);
  world.add("krum", "alie", 2, ended("diverged"));
  world.add("median", "zero", 1, 0.5);
  world.add("median", "alie", 1, ended("failed"));
  world.add("mean", "zero", 1, ended("failed"));
  world.add("mean", "alie", 1, std::nullopt);
  EXPECT_EQ(body_of(worst_tables(world.source(), by_metric, "attack").at(0)),
            "aggregator|accuracy\nkrum|diverged [alie] (diverged 1/3)\nmedian|0.5000 [zero] (failed 1/2)\n"
            "mean|failed 1/2, missing 1/2\n");
  EXPECT_EQ(render(worst_tables(world.source(), by_metric, "attack"), TableFormat::csv),
            "metric,aggregator,mean,worst_attack,runs,n,diverged,failed,unfinished\naccuracy,krum,,alie,3,2,1,0,0\n"
            "accuracy,median,0.5,zero,2,1,0,1,0\naccuracy,mean,,,2,0,0,1,1\n");
}

TEST(WorstTable, an_attack_that_cannot_succeed_is_passed_over) {
  TableWorld world;
  world.add("krum", "none", 1, 0.5);
  world.add("krum", "badnets", 1, MadeRun{.metrics = {{"accuracy", {0.6}}, {"asr", {0.125}}}});
  const TableShape shape{.rows = {"aggregator"}, .cols = {}, .metrics = {"asr"}};
  EXPECT_EQ(body_of(worst_tables(world.source(), shape, "attack").at(0)), "aggregator|all\nkrum|0.1250 [badnets]\n");
  EXPECT_THAT(refusal([&] { worst_tables(world.source(), shape, "atack"); }), HasSubstr("there is no column 'atack'"));
}

TEST(RankTable, shares_ties_puts_divergence_last_and_leaves_unknown_columns_out) {
  TableWorld world;
  const auto add = [&](const std::string& rule, double zero, double alie) {
    world.add(rule, "zero", 1, zero);
    world.add(rule, "alie", 1, alie);
  };
  add("krum", 0.5, 0.9);
  add("median", 0.5, 0.7);
  add("mean", 0.2, 0.8);
  for (const char* rule : {"krum", "median"}) world.add(rule, "nan", 1, 0.4);
  world.add("mean", "nan", 1, ended("diverged"));
  for (const char* rule : {"krum", "median"}) world.add(rule, "inf", 1, 0.4);
  world.add("mean", "inf", 1, ended("failed"));
  // krum (1.5 + 1 + 1.5) / 3, median (1.5 + 3 + 1.5) / 3, mean (3 + 2 + 3) / 3
  const ResultTable table = rank_tables(world.source(), by_attack).at(0);
  EXPECT_EQ(body_of(table),
            "aggregator|zero|alie|nan|inf|mean rank\nkrum|1.5|1|1.5|-|1.33\nmedian|1.5|3|1.5|-|2.00\n"
            "mean|3|2|3|-|2.67\n");
}

TEST(RankTable, means_that_differ_by_rounding_share_their_rank) {
  TableWorld world;
  world.add("krum", "zero", 1, 0.1 + 0.2);
  world.add("median", "zero", 1, 0.3);
  world.add("mean", "zero", 1, 0.2);
  const ResultTable table = rank_tables(world.source(), by_attack).at(0);
  EXPECT_EQ(body_of(table), "aggregator|zero|mean rank\nkrum|1.5|1.50\nmedian|1.5|1.50\nmean|3|3.00\n");
  EXPECT_EQ(render(std::vector{table}, TableFormat::csv),
            "metric,aggregator,attack,mean,rank,mean_rank,runs,n,diverged,failed,unfinished\n"
            "accuracy,krum,zero,0.30000000000000004,1.5,1.5,1,1,0,0,0\naccuracy,median,zero,0.3,1.5,1.5,1,1,0,0,0\n"
            "accuracy,mean,zero,0.2,3,3,1,1,0,0,0\n");
}

TEST(RankTable, marks_ranks_over_a_part_of_the_runs) {
  TableWorld world;
  world.add("krum", "zero", 1, 0.5);
  world.add("krum", "zero", 2, ended("crashed"));
  world.add("median", "zero", 1, 0.25);
  EXPECT_EQ(body_of(rank_tables(world.source(), by_attack).at(0)),
            "aggregator|zero|mean rank\nkrum|1*|1.00\nmedian|2|2.00\n");
}

TEST(RankTable, the_smallest_attack_success_is_first) {
  TableWorld world;
  world.add("krum", "zero", 1, MadeRun{.metrics = {{"asr", {0.9}}}});
  world.add("median", "zero", 1, MadeRun{.metrics = {{"asr", {0.1}}}});
  TableShape shape = by_attack;
  shape.metrics = {"asr"};
  EXPECT_EQ(body_of(rank_tables(world.source(), shape).at(0)),
            "aggregator|zero|mean rank\nmedian|1|1.00\nkrum|2|2.00\n");
}

TEST(CompareTable, pairs_runs_that_agree_in_everything_else) {
  TableWorld world;
  const double krum[] = {0.50, 0.60, 0.80};
  const double median[] = {0.40, 0.40, 0.50};
  for (const int seed : {1, 2, 3}) {
    world.add("krum", "zero", seed, krum[seed - 1]);
    world.add("median", "zero", seed, median[seed - 1]);
  }
  world.add("krum", "zero", 4, 0.99);  // without a partner
  world.add("median", "zero", 5, 0.01);
  const ResultTable table = compare_table(world.source(), by_rule, "krum", "median");
  // differences 0.1, 0.2, 0.3: mean 0.2, standard deviation 0.1, half width 4.3027 * 0.1 / sqrt(3) = 0.2484;
  // Wilcoxon: all three signs positive, p = 2 / 8. All 27 resamples: the 2.5 % point lies within the 1/27 of 0.1.
  EXPECT_EQ(body_of(table),
            "metric|pairs|mean krum|mean median|difference|95 % interval (t)|95 % interval (bootstrap)|p (Wilcoxon)\n"
            "accuracy|3|0.6333|0.4333|0.2000|-0.0484 to 0.4484|0.1000 to 0.3000|0.25\n");
  EXPECT_THAT(notes_of(table), HasSubstr("Pairs of runs that agree in sweep / attack / seed."));
  EXPECT_THAT(notes_of(table), HasSubstr("10000 resamples"));
}

TEST(CompareTable, has_a_line_per_column_and_leaves_unfinished_pairs_out) {
  TableWorld world;
  for (const char* rule : {"krum", "median"}) {
    world.add(rule, "zero", 1, 0.5);
    world.add(rule, "alie", 1, std::string(rule) == "krum" ? 0.5 : 0.75);
  }
  world.add("krum", "zero", 2, 0.9);
  world.add("median", "zero", 2, ended("diverged"));
  const ResultTable table = compare_table(world.source(), by_attack, "krum", "median");
  EXPECT_EQ(table.header.at(1), "attack");
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_EQ(body_of(table).substr(body_of(table).find('\n') + 1),
            "accuracy|zero|1|0.5000|0.5000|0.0000|n/a|n/a|1\n"
            "accuracy|alie|1|0.5000|0.7500|-0.2500|n/a|n/a|1\n");
  EXPECT_EQ(
      render(std::vector{table}, TableFormat::csv),
      "metric,attack,a,b,pairs,mean_a,mean_b,difference,t_low,t_high,bootstrap_low,bootstrap_high,p,p_from\n"
      "accuracy,zero,krum,median,1,0.5,0.5,0,,,,,1,exact\naccuracy,alie,krum,median,1,0.5,0.75,-0.25,,,,,1,exact\n");
  EXPECT_THAT(notes_of(table), HasSubstr("1 of 3 pairs have a run without a final value and are left out."));
}

TEST(CompareTable, what_belongs_to_one_side_is_part_of_the_comparison) {
  // The axis "setting" has no value in common: it is compared, and not a condition.
  TableWorld world;
  for (const int seed : {1, 2}) {
    const auto made = [&](double accuracy) { return MadeRun{.metrics = {{"accuracy", {accuracy}}}}; };
    world.add("krum", "zero", seed, made(0.5), {{"setting", "f=2"}});
    world.add("median", "zero", seed, made(0.25), {{"setting", "plain"}});
  }
  const ResultTable table = compare_table(world.source(), by_rule, "krum", "median");
  EXPECT_EQ(table.rows.at(0).at(1), "2");
  EXPECT_THAT(notes_of(table),
              HasSubstr("The two have no value of setting in common: that is part of what is compared."));
}

TEST(CompareTable, runs_that_cells_share_make_one_pair) {
  const std::filesystem::path folder = fresh_folder();
  std::vector<MadeCell> cells;
  for (const std::string rule : {"krum", "median"}) {
    write_run(folder / "cells" / rule, {.rule = rule, .metrics = {{"accuracy", {0.5}}}});
    for (const std::string share : {"0.1", "0.2"}) {
      cells.push_back({rule, {{"aggregator", rule}, {"share", share}, {"seed", "1"}}});
    }
  }
  write_sweep(folder, "s", cells);
  const std::vector<std::filesystem::path> places{folder};
  const ResultsView view = ResultsView::load(places, ResultsView::Detail::federation);
  const Frame frame(view.database());
  const TableSource source{.view = view.database(), .frame = frame, .round = {}};
  EXPECT_EQ(compare_table(source, by_rule, "krum", "median").rows.at(0).at(1), "1");
}

TEST(CompareTable, runs_of_different_seeds_are_no_pair) {
  TableWorld world;
  world.add("krum", "zero", 1, 0.5);
  world.add("median", "zero", 2, 0.5);
  EXPECT_THAT(
      refusal([&] { compare_table(world.source(), by_rule, "krum", "median"); }),
      HasSubstr("no run of krum and run of median agree in sweep / attack / seed: there is nothing to compare"));
}

TEST(CompareTable, sweeps_can_be_compared_with_each_other_and_are_paired_only_then) {
  const std::filesystem::path folder = fresh_folder();
  for (const std::string name : {"x", "y"}) {
    write_sweep(folder / name, name,
                {{"k", {{"rule", "krum"}, {"seed", "1"}}}, {"m", {{"rule", "median"}, {"seed", "1"}}}});
    write_run(folder / name / "cells/k", {.metrics = {{"accuracy", {name == "x" ? 0.5 : 0.9}}}});
    write_run(folder / name / "cells/m", {.rule = "median", .metrics = {{"accuracy", {name == "x" ? 0.25 : 0.1}}}});
  }
  const std::vector<std::filesystem::path> places{folder};
  const ResultsView view = ResultsView::load(places, ResultsView::Detail::federation);
  const Frame frame(view.database());
  const TableSource source{.view = view.database(), .frame = frame, .round = {}};
  const auto rows = [&](const TableShape& shape, const std::string& a, const std::string& b) {
    const std::string body = body_of(compare_table(source, shape, a, b));
    return body.substr(body.find('\n') + 1);
  };
  EXPECT_EQ(rows({.rows = {"rule"}, .cols = {"sweep"}, .metrics = {"accuracy"}}, "krum", "median"),
            "accuracy|x|1|0.5000|0.2500|0.2500|n/a|n/a|1\naccuracy|y|1|0.9000|0.1000|0.8000|n/a|n/a|1\n");
  EXPECT_EQ(rows({.rows = {"sweep"}, .cols = {"rule"}, .metrics = {"accuracy"}}, "x", "y"),
            "accuracy|krum|1|0.5000|0.9000|-0.4000|n/a|n/a|1\naccuracy|median|1|0.2500|0.1000|0.1500|n/a|n/a|1\n");
}

TEST(CompareTable, refuses_what_cannot_be_paired) {
  TableWorld world;
  const auto made = [](double accuracy) { return MadeRun{.metrics = {{"accuracy", {accuracy}}}}; };
  world.add("krum", "zero", 1, made(0.5), {{"setting", "a"}});
  world.add("krum", "zero", 1, made(0.6), {{"setting", "b"}});
  world.add("median", "zero", 1, made(0.25), {{"setting", "c"}});
  EXPECT_THAT(refusal([&] { compare_table(world.source(), by_rule, "krum", "median"); }),
              HasSubstr("two runs of krum agree in sweep / attack / seed"));
  EXPECT_THAT(refusal([&] { compare_table(world.source(), by_rule, "krum", "mean"); }),
              HasSubstr("no run has aggregator = mean"));
  EXPECT_EQ(refusal([&] { compare_table(world.source(), by_rule, "krum", "krum"); }),
            "two values are compared, not krum with itself");
  const TableShape two{.rows = {"aggregator", "attack"}, .cols = {}, .metrics = {"accuracy"}};
  EXPECT_THAT(refusal([&] { compare_table(world.source(), two, "krum", "median"); }), HasSubstr("one column"));
}

TEST(ParetoTable, marks_rows_that_nothing_dominates) {
  TableWorld world;
  const auto add = [&](const std::string& rule, double accuracy, std::uint64_t bytes) {
    world.add(rule, "zero", 1, MadeRun{.metrics = {{"accuracy", {accuracy}}}, .bytes = bytes});
  };
  add("krum", 0.9, 300);
  add("median", 0.8, 100);
  add("mean", 0.7, 200);  // dominated by the median
  world.add("mda", "zero", 1, ended("diverged"));
  EXPECT_EQ(body_of(pareto_table(world.source(), by_rule, "accuracy", "bytes")),
            "aggregator|accuracy|bytes|on the front\nmedian|0.8000|100.0|yes\nmean|0.7000|200.0|no\n"
            "krum|0.9000|300.0|yes\nmda|diverged|diverged|-\n");
  EXPECT_EQ(render(std::vector{pareto_table(world.source(), by_rule, "accuracy", "bytes")}, TableFormat::csv),
            "aggregator,accuracy,bytes,on_front,runs,n,diverged,failed,unfinished\nmedian,0.8,100,1,1,1,0,0,0\n"
            "mean,0.7,200,0,1,1,0,0,0\nkrum,0.9,300,1,1,1,0,0,0\nmda,,,,1,0,1,0,0\n");
}

TEST(ParetoTable, knows_which_way_costs_and_metrics_go) {
  TableWorld world;
  const auto add = [&](const std::string& rule, double asr, double tpr) {
    world.add(rule, "zero", 1, MadeRun{.metrics = {{"asr", {asr}}, {"tpr", {tpr}}}});
  };
  add("krum", 0.1, 0.5);
  add("median", 0.2, 0.9);  // more rejected: better
  add("mean", 0.3, 0.8);
  EXPECT_EQ(
      body_of(pareto_table(world.source(), by_rule, "asr", "tpr")),
      "aggregator|asr|tpr|on the front\nmedian|0.2000|0.9000|yes\nmean|0.3000|0.8000|no\nkrum|0.1000|0.5000|yes\n");
}

/// A cell of the selection tests: validation and test accuracy of a momentum under an attack.
void add_choice(TableWorld& world, const std::string& rule, const std::string& attack, const std::string& momentum,
                double validation, double test, const std::string& status = "done") {
  world.add(rule, attack, 1,
            MadeRun{.metrics = {{"accuracy", {test}}, {"validation_accuracy", {validation}}}, .status = status},
            {{"momentum", momentum}});
}

TEST(SelectionTable, takes_the_best_worst_case_on_validation_data_and_reports_the_test_data) {
  TableWorld world;
  // krum: momentum 0 has worst case 0.4 (alie), 0.9 has 0.5 (zero) although its test accuracy is worse everywhere.
  add_choice(world, "krum", "zero", "0", 0.9, 0.91);
  add_choice(world, "krum", "alie", "0", 0.4, 0.92);
  add_choice(world, "krum", "zero", "0.9", 0.5, 0.33);
  add_choice(world, "krum", "alie", "0.9", 0.6, 0.22);
  // median: a tie goes to the first; a run that diverged is worse than any number.
  add_choice(world, "median", "zero", "0", 0.3, 0.5);
  add_choice(world, "median", "alie", "0", 0.3, 0.6);
  add_choice(world, "median", "zero", "0.9", 0.3, 0.7);
  add_choice(world, "median", "alie", "0.9", 0.8, 0.8);
  add_choice(world, "mean", "zero", "0", 0.8, 0.8);
  add_choice(world, "mean", "alie", "0", 0.8, 0.8, "diverged");
  add_choice(world, "mean", "zero", "0.9", 0.1, 0.2);
  add_choice(world, "mean", "alie", "0.9", 0.1, 0.1);
  const ResultTable table = selection_table(world.source(), by_rule, {"momentum"}, "attack");
  EXPECT_EQ(body_of(table),
            "aggregator|momentum|validation_accuracy|accuracy\nkrum|0.9|0.5000 [zero]|0.2200 [alie]\n"
            "median|0|0.3000 [zero]|0.5000 [zero]\nmean|0.9|0.1000 [zero]|0.1000 [alie]\n");
  EXPECT_EQ(render(std::vector{table}, TableFormat::csv),
            "metric,aggregator,momentum,validation_accuracy,validation_accuracy_worst_attack,mean,worst_attack,runs,n,"
            "diverged,failed,unfinished\naccuracy,krum,0.9,0.5,zero,0.22,alie,2,2,0,0,0\n"
            "accuracy,median,0,0.3,zero,0.5,zero,2,2,0,0,0\naccuracy,mean,0.9,0.1,zero,0.1,alie,2,2,0,0,0\n");
}

TEST(SelectionTable, judges_no_choice_whose_runs_are_not_done) {
  TableWorld world;
  add_choice(world, "krum", "zero", "0", 0.9, 0.9);
  add_choice(world, "krum", "alie", "0", 0.9, 0.9, "failed");
  add_choice(world, "krum", "zero", "0.9", 0.5, 0.5);
  add_choice(world, "krum", "alie", "0.9", 0.5, 0.4);
  const ResultTable table = selection_table(world.source(), by_rule, {"momentum"}, "attack");
  EXPECT_EQ(table.rows.at(0), (std::vector<std::string>{"krum", "0.9", "0.5000 [zero]", "0.4000 [alie]"}));
  EXPECT_THAT(notes_of(table),
              HasSubstr("Choices not judged, because not all their runs are done or they lack an attack: 1."));
}

TEST(SelectionTable, judges_no_choice_that_was_spared_an_attack) {
  TableWorld world;
  add_choice(world, "krum", "zero", "0", 0.9, 0.9);
  add_choice(world, "krum", "zero", "0.9", 0.5, 0.5);
  add_choice(world, "krum", "alie", "0.9", 0.5, 0.4);
  EXPECT_EQ(selection_table(world.source(), by_rule, {"momentum"}, "attack").rows.at(0).at(1), "0.9");
}

TEST(SelectionTable, does_not_choose_the_axis_of_the_worst_case) {
  TableWorld world;
  add_choice(world, "krum", "zero", "0", 0.9, 0.9);
  EXPECT_THAT(refusal([&] { selection_table(world.source(), by_rule, {"attack"}, "attack"); }),
              HasSubstr("--select attack: settings are chosen by their worst case over attack"));
}

TEST(SelectionTable, says_where_validation_data_come_from) {
  TableWorld world;
  world.add("krum", "zero", 1, 0.5);
  EXPECT_THAT(refusal([&] { selection_table(world.source(), by_rule, {"seed"}, "attack"); }),
              HasSubstr("evaluation.validation_fraction"));
}

}  // namespace
}  // namespace souk::table_modes_test
