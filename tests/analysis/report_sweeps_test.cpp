#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "analysis/report/overview.hpp"
#include "analysis/report/tables.hpp"
#include "analysis/report/verdict.hpp"
#include "tests/analysis/report_fixture.hpp"

namespace souk::report_sweeps_test {
namespace {

using nlohmann::json;

TEST(ReportOfRuns, figures_begin_where_there_is_something_to_show) {
  const auto folder = fresh_folder();
  write_run(folder / "a", {.rule = "mean", .metrics = {{"accuracy", {0.5, 0.9}}}});
  write_run(folder / "b", {.rule = "mean", .attack = "sign_flip", .metrics = {{"accuracy", {0.5, 0.6}}}});
  const ResultsView view = view_of(folder);
  const Study study = Study::read(view.database());
  ASSERT_EQ(study.axes.size(), 1U);          // the malicious share, 0 or a fifth
  EXPECT_TRUE(numeric_axes(study).empty());  // no attack was run at two shares
  const Report report = make_report(view.database());
  const Figure& figure = *figure_of(report, "curves");
  const json spec = json::parse(figure.spec);
  json chosen;
  for (const json& param : spec["params"]) {
    if (param["name"] != "lines") chosen[param["name"].get<std::string>()] = param["value"];
  }
  EXPECT_EQ(rows_with(figure, chosen).size(), 2U) << chosen;
}

/// A sweep of one rule under an attack with these runs, one a seed.
ResultsView view_of_seeds(const std::vector<std::pair<std::string, std::vector<double>>>& runs) {
  const auto folder = fresh_folder() / "sweep";
  std::vector<MadeCell> cells;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::string seed = std::to_string(i + 1);
    cells.push_back({"run-" + seed, {{"aggregator", "mean"}, {"attack", "sign_flip"}, {"seed", seed}}});
    write_run(folder / "cells" / cells.back().id, {.rule = "mean",
                                                   .attack = "sign_flip",
                                                   .seed = i + 1,
                                                   .metrics = {{"accuracy", runs[i].second}},
                                                   .status = runs[i].first});
  }
  cells.push_back({"run-x", {{"aggregator", "mean"}, {"attack", "none"}, {"seed", "1"}}});
  write_sweep(folder, "grid", cells);
  return view_of(folder);
}

TEST(ReportOfSweeps, figures_begin_with_a_rule_that_has_results) {
  const auto folder = fresh_folder() / "sweep";
  write_run(folder / "cells" / "a", {.rule = "krum", .attack = "sign_flip", .status = "failed"});
  write_run(folder / "cells" / "b",
            {.rule = "mean", .attack = "sign_flip", .metrics = {{"accuracy", {0.5}}, {"asr", {0.5}}}});
  write_sweep(folder, "grid",
              {{"a", {{"aggregator", "krum"}, {"attack", "flip"}, {"seed", "1"}}},
               {"b", {{"aggregator", "mean"}, {"attack", "door"}, {"seed", "1"}}}});
  const ResultsView view = view_of(folder);
  const Report report = make_report(view.database());
  const json spec = json::parse(figure_of(report, "curves")->spec);
  json chosen;
  for (const json& param : spec["params"]) {
    chosen[param["name"].get<std::string>()] = param["value"];
  }
  EXPECT_EQ(chosen["rule"], "mean");
  EXPECT_EQ(chosen["attack"], "door");
}

TEST(ReportOfRuns, what_has_not_ended_is_in_curves_alone_and_the_page_says_so) {
  const ResultsView view = view_of_seeds({{"done", {0.1, 0.8}}, {"at work", {0.3}}, {"interrupted", {0.5}}});
  const Study study = Study::read(view.database());

  const auto fields = rows_with(heat_maps(study).at(0), {{"attack", "sign_flip"}, {"metric", "accuracy"}});
  ASSERT_EQ(fields.size(), 1U);
  EXPECT_DOUBLE_EQ(fields[0]["mean"], 80.0);
  EXPECT_EQ(fields[0]["runs"], 1);
  EXPECT_EQ(fields[0]["state"], "interrupted 1/3, running 1/3");
  const Figure figure = curves(study, view.database()).at(0);
  EXPECT_DOUBLE_EQ(rows_with(figure, {{"metric", "accuracy"}, {"round", 1}}).at(0)["mean"], 30.0);
  EXPECT_DOUBLE_EQ(rows_with(figure, {{"metric", "accuracy"}, {"round", 2}}).at(0)["mean"], 80.0);
  EXPECT_THAT(figure.note, testing::HasSubstr("have not ended are in it as far as they got"));
  const Figure seconds = costs(study, view.database()).at(0);
  EXPECT_EQ(rows_with(seconds, {{"part", "train"}}).at(0)["runs"], 1);
  EXPECT_THAT(seconds.note, testing::HasSubstr("have not ended are in no number"));
}

TEST(ReportOfRuns, a_sweep_of_which_no_run_has_ended_has_curves_but_no_map) {
  const ResultsView view = view_of_seeds({{"running", {0.3}}, {"interrupted", {0.5}}});
  const Study study = Study::read(view.database());
  EXPECT_TRUE(heat_maps(study).empty());
  EXPECT_EQ(curves(study, view.database()).size(), 1U);
}

TEST(ReportOfRuns, a_run_that_goes_on_alone_is_shown_as_far_as_it_got) {
  const auto folder = fresh_folder() / "run";
  write_run(folder, {.metrics = {{"accuracy", {0.5}}}, .status = "at work"});
  const ResultsView view = view_of(folder);
  const Report report = make_report(view.database());
  EXPECT_THAT(report.overview, testing::HasSubstr("What was reached so far"));
  EXPECT_THAT(report.overview, testing::HasSubstr("The run has not ended"));
  EXPECT_EQ(costs(Study::read(view.database()), view.database()).size(), 2U);
}

TEST(ReportOfSweeps, numbers_of_two_sweeps_are_never_taken_together) {
  const auto folder = fresh_folder();
  for (const auto& [sweep, accuracy, status] : {std::tuple("first", 0.9, "done"), std::tuple("second", 0.3, "done")}) {
    const std::string name = sweep;
    write_run(folder / name / "cells" / "c", {.rule = "mean", .metrics = {{"accuracy", {accuracy}}}});
    write_run(folder / name / "cells" / "a",
              {.rule = "mean", .attack = "sign_flip", .metrics = {{"accuracy", {accuracy - 0.05}}}, .status = status});
    write_sweep(folder / name, name,
                {{"c", {{"aggregator", "mean"}, {"attack", "none"}, {"seed", "1"}}},
                 {"a", {{"aggregator", "mean"}, {"attack", "flip"}, {"seed", "1"}}}});
  }
  const ResultsView view = view_of(folder);
  const Study study = Study::read(view.database());

  ASSERT_EQ(study.axes.size(), 1U);
  EXPECT_EQ(study.axes[0].name, "sweep");
  EXPECT_THAT(study.axes[0].values, testing::ElementsAre("first", "second"));
  const Figure map = heat_maps(study).at(0);
  EXPECT_TRUE(rows_with(map, {{"axis1", "all"}}).empty());
  const auto fields = rows_with(map, {{"axis1", "second"}, {"attack", "flip"}, {"metric", "accuracy"}});
  ASSERT_EQ(fields.size(), 1U);
  EXPECT_NEAR(fields[0]["mean"], 25.0, 1e-9);
  EXPECT_THAT(json::parse(map.spec)["params"].back()["bind"]["options"], testing::ElementsAre("first", "second"));
  const auto seconds = rows_with(costs(study, view.database()).at(0), {{"part", "train"}});
  EXPECT_EQ(seconds.size(), 2U);
  const RuleVerdict mean = judge(study, {}).rules.at(0);
  EXPECT_EQ(mean.result, RuleVerdict::Result::held);
  EXPECT_NEAR(*mean.worst_loss, 0.05, 1e-9);
  EXPECT_EQ(study.place_text(study.cells[0]), "sweep first");
}

TEST(ReportOfSweeps, clean_cells_are_known_by_what_they_run) {
  const auto folder = fresh_folder() / "sweep";
  const auto cell = [](const std::string& id, const char* attack) {
    return MadeCell{id, {{"aggregator", "mean"}, {"attack", attack}, {"seed", id.substr(1)}}};
  };
  write_run(folder / "cells" / "c1", {.rule = "mean", .metrics = {{"accuracy", {0.9}}}});
  write_run(folder / "cells" / "f1", {.rule = "mean", .attack = "sign_flip", .metrics = {{"accuracy", {0.5}}}});
  // Labels that say the opposite; seed 2 never started.
  write_sweep(folder, "grid", {cell("f1", "none"), cell("c1", "peace"), cell("f2", "none"), cell("c2", "peace")});
  const Study study = Study::read(view_of(folder).database());

  EXPECT_THAT(study.attacks, testing::ElementsAre("peace", "none"));
  std::vector<bool> clean, attacked;
  for (const StudyCell& one : study.cells) {
    clean.push_back(one.clean);
    attacked.push_back(one.attacked);
  }
  EXPECT_THAT(clean, testing::ElementsAre(false, true, false, true));
  EXPECT_THAT(attacked, testing::ElementsAre(true, false, true, false));
  const StudyVerdict verdict = judge(study, {});
  EXPECT_TRUE(verdict.against_clean);
  EXPECT_NEAR(*verdict.rules.at(0).worst_loss, 0.4, 1e-12);
}

TEST(ReportOfSweeps, a_group_that_never_acts_makes_a_clean_cell_and_no_attackers_that_get_anything) {
  const auto folder = fresh_folder() / "sweep";
  const auto cell = [](const std::string& id, const char* attack) {
    return MadeCell{id, {{"aggregator", "mean"}, {"attack", attack}, {"seed", "1"}}};
  };
  write_run(folder / "cells" / "c", {.attack = "from_round: 1000000 sign_flip", .metrics = {{"accuracy", {0.9}}}});
  write_run(folder / "cells" / "f", {.attack = "sign_flip", .metrics = {{"accuracy", {0.5}}}});
  write_sweep(folder, "grid", {cell("c", "control"), cell("f", "flipped")});
  const Study study = Study::read(view_of(folder).database());
  EXPECT_TRUE(study.cells[0].clean);
  EXPECT_TRUE(study.cells[1].attacked);
  EXPECT_EQ(study.runs[study.cells[0].run].malicious, 0.0);
  const StudyVerdict verdict = judge(study, {});
  EXPECT_TRUE(verdict.against_clean);
  ASSERT_EQ(verdict.attacks.size(), 1U);
  EXPECT_NEAR(*verdict.attacks.front().mean_loss, 0.4, 1e-12);
}

TEST(ReportOfSweeps, cells_that_never_started_have_the_rule_and_attack_of_the_others) {
  const auto folder = fresh_folder() / "sweep";
  write_run(folder / "cells" / "a", {.rule = "krum", .attack = "sign_flip", .metrics = {{"accuracy", {0.5}}}});
  write_sweep(folder, "grid", {{"a", {{"share", "0.1"}, {"seed", "1"}}}, {"b", {{"share", "0.2"}, {"seed", "1"}}}});
  const Study study = Study::read(view_of(folder).database());
  EXPECT_THAT(study.rules, testing::ElementsAre("krum"));
  EXPECT_THAT(study.attacks, testing::ElementsAre("sign_flip"));
  EXPECT_EQ(study.cells[1].rule, "krum");
  EXPECT_TRUE(study.cells[1].attacked);
}

TEST(ReportOfSweeps, labels_that_are_no_text_do_not_end_the_report) {
  const auto folder = fresh_folder() / "sweep";
  write_run(folder / "cells" / "a", {.attack = "sign_flip", .metrics = {{"accuracy", {0.5}}}});
  write_run(folder / "cells" / "b", {.metrics = {{"accuracy", {0.5}}}});
  write_sweep(folder, "grid",
              {{"a", {{"attack", "b\377d"}, {"place", "p\377"}, {"seed", "1"}}},
               {"b", {{"attack", "none"}, {"place", "q"}, {"seed", "1"}}}});
  const ResultsView view = view_of(folder);
  const json page = json::parse(to_json(make_report(view.database())));
  EXPECT_THAT(page.dump(), testing::HasSubstr("b\uFFFDd"));
}

/// A run that has recorded the accuracy of `classes` classes: class k in round r has (k + r) / 100.
void write_run_with_classes(const std::filesystem::path& directory, std::uint64_t seed, int classes) {
  write_run(directory, {.rule = "mean", .seed = seed});
  const auto sink = open_sqlite_sink(directory / "results.sqlite");
  for (std::uint32_t round = 1; round <= 2; ++round) {
    RoundRecord record;
    record.round = {round};
    for (int k = 0; k < classes; ++k) {
      record.metrics.push_back({"class_accuracy", static_cast<double>(k + round + 10 * (seed - 1)) / 100.0, -1, k});
    }
    sink->commit(record);
  }
}

TEST(ReportOfClasses, a_table_has_the_accuracy_of_every_class_at_the_end_as_the_mean_over_seeds) {
  const auto folder = fresh_folder() / "sweep";
  write_run_with_classes(folder / "cells" / "a", 1, 3);
  write_run_with_classes(folder / "cells" / "b", 2, 3);
  write_sweep(folder, "grid",
              {{"a", {{"aggregator", "mean"}, {"seed", "1"}}}, {"b", {{"aggregator", "mean"}, {"seed", "2"}}}});
  const ResultsView view = view_of(folder);
  const ReportTable table = class_table(Study::read(view.database()), view.database());
  const json rows = json::parse(table.data.to_rows_json());
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0]["rule"], "mean");
  for (int k = 0; k < 3; ++k) {
    // (k + 2) % in the last round of seed 1, ten points more of seed 2
    EXPECT_NEAR(rows[0][fmt::format("class_accuracy.{}", k)], k + 2 + 5.0, 1e-9);
    EXPECT_EQ(table.columns[2 + static_cast<std::size_t>(k)].title, std::to_string(k));
  }
  EXPECT_EQ(table.columns.size(), table.data.columns().size());
}

TEST(ReportOfClasses, there_is_no_table_without_classes_or_with_more_than_a_page_is_wide) {
  for (const int classes : {0, 31}) {
    const auto folder = fresh_folder();
    write_run_with_classes(folder / "run", 1, classes);
    const ResultsView view = view_of(folder);
    EXPECT_TRUE(class_table(Study::read(view.database()), view.database()).data.empty()) << classes;
  }
}

}  // namespace
}  // namespace souk::report_sweeps_test
