#include <algorithm>
#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "analysis/report/figure_states.hpp"
#include "analysis/report/figures.hpp"
#include "analysis/report/overview.hpp"
#include "analysis/report/report.hpp"
#include "analysis/report/series.hpp"
#include "analysis/report/tables.hpp"
#include "analysis/report/theme.hpp"
#include "analysis/report/verdict.hpp"
#include "analysis/results/results_view.hpp"
#include "sim/stats/inequality.hpp"
#include "tests/analysis/made_results.hpp"

namespace souk {
namespace {

using nlohmann::json;

ResultsView view_of(const std::filesystem::path& directory) {
  const std::vector<std::filesystem::path> places{directory};
  return ResultsView::load(places, ResultsView::Detail::federation);
}

/// Rows of a figure's data that have these values, as JSON objects.
std::vector<json> rows_with(const Figure& figure, const json& wanted) {
  std::vector<json> rows;
  for (const json& row : json::parse(figure.data.to_rows_json())) {
    bool fits = true;
    for (const auto& [name, value] : wanted.items()) fits = fits && row[name] == value;
    if (fits) rows.push_back(row);
  }
  return rows;
}

const Figure* figure_of(const Report& report, const std::string& id) {
  const auto figures = figures_of(report);
  const auto found = std::ranges::find(figures, id, &Figure::id);
  return found == figures.end() ? nullptr : *found;
}

constexpr const char* odd_label = "x' || \"</script>";

/// Two rules, an attack with a label that is trouble wherever it is taken for code, two shares, two seeds. Clean cells
/// of both shares are one run; one cell is missing, one diverged.
class ReportFigures : public testing::Test {
 protected:
  ReportFigures() : folder_(fresh_folder() / "sweep") {
    for (const std::string rule : {"mean", "krum"}) {
      for (const std::string seed : {"1", "2"}) {
        for (const std::string share : {"0.1", "0.3"}) {
          add(rule + "-clean-" + seed, rule, "none", share, seed);
          add(rule + "-" + share + "-" + seed, rule, odd_label, share, seed);
        }
      }
    }
    run("mean-clean-1", {0.1, 0.90});
    run("mean-clean-2", {0.3, 0.80});
    run("krum-clean-1", {0.1, 0.70});
    run("krum-clean-2", {0.1, 0.70});
    run("mean-0.1-1", {0.2, 0.60});
    run("mean-0.1-2", {0.2, 0.50});
    run("mean-0.3-1", {0.2, 0.20});
    run("mean-0.3-2", {0.2}, "diverged");
    run("krum-0.1-1", {0.2, 0.65});
    run("krum-0.1-2", {0.2, 0.65});
    run("krum-0.3-1", {0.2, 0.65});  // krum-0.3-2 never started
    write_sweep(folder_, "grid", cells_);
    view_.emplace(view_of(folder_));
    study_ = Study::read(view_->database());
  }
  void add(const std::string& id, const std::string& rule, const std::string& attack, const std::string& share,
           const std::string& seed) {
    cells_.push_back({id, {{"aggregator", rule}, {"attack", attack}, {"share", share}, {"seed", seed}}});
  }
  void run(const std::string& id, const std::vector<double>& accuracies, const std::string& status = "done") const {
    const bool clean = id.find("clean") != std::string::npos;
    write_run(folder_ / "cells" / id, {.rule = id.substr(0, 4),
                                       .attack = clean ? "" : "sign_flip",
                                       .seed = id.back() == '1' ? 1U : 2U,
                                       .metrics = {{"accuracy", accuracies}},
                                       .status = status});
  }
  std::filesystem::path folder_;
  std::vector<MadeCell> cells_;
  std::optional<ResultsView> view_;
  Study study_;
};

TEST_F(ReportFigures, the_study_has_the_axes_of_the_grid_and_cells_that_share_runs) {
  EXPECT_THAT(study_.rules, testing::ElementsAre("mean", "krum"));
  EXPECT_THAT(study_.attacks, testing::ElementsAre("none", odd_label));
  ASSERT_EQ(study_.axes.size(), 1U);
  EXPECT_EQ(study_.axes[0].name, "share");
  EXPECT_TRUE(study_.axes[0].numeric);
  EXPECT_EQ(study_.cells.size(), 16U);
  EXPECT_EQ(study_.runs.size(), 12U);
}

TEST_F(ReportFigures, the_heat_map_has_mean_worst_best_and_deviation_of_single_runs) {
  const Figure map = heat_maps(study_).at(0);
  const auto at = [&](const char* rule, const char* attack, const char* share) {
    return rows_with(map, {{"rule", rule}, {"attack", attack}, {"axis1", share}, {"metric", "accuracy"}}).at(0);
  };
  json row = at("mean", odd_label, "0.1");
  EXPECT_DOUBLE_EQ(row["mean"], 55.0);
  EXPECT_DOUBLE_EQ(row["worst"], 50.0);
  EXPECT_DOUBLE_EQ(row["best"], 60.0);
  EXPECT_NEAR(row["std"], 10.0 / std::sqrt(2.0), 1e-4);
  EXPECT_EQ(row["runs"], 2);
  // the diverged run is told of, and in no number
  row = at("mean", odd_label, "0.3");
  EXPECT_DOUBLE_EQ(row["mean"], 20.0);
  EXPECT_TRUE(row["std"].is_null());
  EXPECT_EQ(row["state"], "diverged 1/2");
  EXPECT_EQ(at("krum", odd_label, "0.3")["state"], "missing 1/2");
  // shares together: three attacked runs of the mean; a clean run that stands for both shares counts once
  EXPECT_NEAR(at("mean", odd_label, "all")["mean"], (60.0 + 50.0 + 20.0) / 3.0, 1e-4);
  row = at("mean", "none", "all");
  EXPECT_DOUBLE_EQ(row["mean"], 85.0);
  EXPECT_EQ(row["runs"], 2);
}

TEST_F(ReportFigures, curves_have_the_mean_over_seeds_and_students_interval) {
  const Figure figure = curves(study_, view_->database()).at(0);
  const auto rows =
      rows_with(figure, {{"rule", "mean"}, {"attack", "none"}, {"axis1", "0.1"}, {"metric", "accuracy"}, {"round", 1}});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_DOUBLE_EQ(rows[0]["mean"], 20.0);  // of 10 and 30
  // Two runs have a range, of which Student's interval would be 12.7 times as wide.
  EXPECT_TRUE(rows[0]["low"].is_null());
  EXPECT_DOUBLE_EQ(rows[0]["least"], 10.0);
  EXPECT_DOUBLE_EQ(rows[0]["most"], 30.0);
  // one run alone has no interval
  const auto alone = rows_with(figure, {{"rule", "krum"}, {"attack", odd_label}, {"axis1", "0.3"}, {"round", 2}});
  ASSERT_EQ(alone.size(), 1U);
  EXPECT_DOUBLE_EQ(alone[0]["mean"], 65.0);
  EXPECT_TRUE(alone[0]["low"].is_null());
  EXPECT_DOUBLE_EQ(alone[0]["least"], 65.0);
}

TEST_F(ReportFigures, cells_of_survivors_are_not_coloured_as_results) {
  const json spec = json::parse(heat_maps(study_).at(0).spec);
  const json colour = spec["layer"][0]["encoding"]["color"]["condition"];
  ASSERT_EQ(colour.size(), 2U);
  EXPECT_EQ(colour[1]["test"], "datum.state != ''");
  EXPECT_TRUE(colour[1]["value"].is_string());
}

TEST(SeriesInterval, three_seeds_have_students_interval_and_fewer_their_range) {
  DataSet data({"mean", "low", "high", "least", "most", "runs"});
  for (const std::vector<double>& values : {std::vector<double>{1, 2, 3}, std::vector<double>{1, 3}}) {
    data.add(interval_values(summarise(values)));
  }
  const json rows = json::parse(data.to_rows_json());
  // t(0.975, 2) = 4.30265; standard error 1 / sqrt(3)
  EXPECT_NEAR(rows[0]["low"], 2.0 - 4.30265 / std::sqrt(3.0), 1e-4);
  EXPECT_NEAR(rows[0]["high"], 2.0 + 4.30265 / std::sqrt(3.0), 1e-4);
  EXPECT_TRUE(rows[1]["low"].is_null() && rows[1]["high"].is_null());
  EXPECT_EQ(rows[1]["least"], 1.0);
  EXPECT_EQ(rows[1]["most"], 3.0);
}

TEST_F(ReportFigures, an_axis_of_numbers_has_a_figure_along_it) {
  const auto figures = numeric_axes(study_);
  ASSERT_EQ(figures.size(), 1U);
  EXPECT_EQ(figures[0].title, "Along share");
  const auto rows = rows_with(figures[0], {{"rule", "mean"}, {"attack", odd_label}, {"metric", "accuracy"}});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_DOUBLE_EQ(rows[0]["x"], 0.1);
  EXPECT_DOUBLE_EQ(rows[0]["mean"], 55.0);
  EXPECT_DOUBLE_EQ(rows[1]["x"], 0.3);
  EXPECT_DOUBLE_EQ(rows[1]["mean"], 20.0);
}

TEST_F(ReportFigures, costs_are_means_over_the_runs_of_a_rule_each_counted_once) {
  const auto figures = costs(study_, view_->database());
  ASSERT_EQ(figures.size(), 2U);
  // every round takes one second: five finished runs of the mean with two rounds
  const auto seconds = rows_with(figures[0], {{"rule", "mean"}, {"part", "train"}});
  ASSERT_EQ(seconds.size(), 1U);
  EXPECT_DOUBLE_EQ(seconds[0]["mean"], 2.0);
  EXPECT_EQ(seconds[0]["runs"], 5);
  // and sends 100 bytes
  EXPECT_NEAR(rows_with(figures[1], {{"rule", "krum"}, {"part", "update"}}).at(0)["mean"], 200e-6, 1e-12);
}

/// Every text under these keys, which Vega takes for code.
void collect_expressions(const json& value, std::vector<std::string>& expressions) {
  if (value.is_object()) {
    for (const auto& [key, member] : value.items()) {
      const bool is_code = key == "filter" || key == "calculate" || key == "expr" || key == "test";
      if (is_code && member.is_string()) expressions.push_back(member);
      collect_expressions(member, expressions);
    }
  } else if (value.is_array()) {
    for (const json& member : value) collect_expressions(member, expressions);
  }
}

TEST_F(ReportFigures, names_of_the_grid_are_never_part_of_an_expression) {
  const Report report = make_report(view_->database());
  std::size_t seen = 0;
  for (const Figure* figure : figures_of(report)) {
    std::vector<std::string> expressions;
    collect_expressions(json::parse(figure->spec), expressions);
    for (const std::string& expression : expressions) {
      EXPECT_THAT(expression, testing::Not(testing::HasSubstr("</script>"))) << figure->id;
      EXPECT_THAT(expression, testing::Not(testing::HasSubstr("share"))) << figure->id;
    }
    seen += expressions.size();
  }
  EXPECT_GT(seen, 10U);
  const std::string curves_of_page = report.sections.at(1).figures.at(0).spec;
  EXPECT_THAT(json::parse(curves_of_page).dump(), testing::HasSubstr("</script>"));  // as an option that is chosen
}

TEST_F(ReportFigures, the_page_holds_every_section_with_data_as_json) {
  const Report report = make_report(view_->database());
  const json page = json::parse(to_json(report));
  std::set<std::string> ids;
  for (const json& section : page["sections"]) {
    for (const char* kind : {"figures", "tables"}) {
      for (const json& part : section[kind]) {
        EXPECT_TRUE(ids.insert(part["id"]).second) << part["id"];
        EXPECT_FALSE(part["data"]["columns"].empty());
      }
    }
  }
  EXPECT_THAT(ids, testing::IsSupersetOf({"heat", "curves", "axis-1", "phases", "traffic", "rules", "price", "attacks",
                                          "cells", "failures"}));
  EXPECT_EQ(page["field_titles"]["axis1"], "share");
  EXPECT_EQ(page["runs"]["runs"].size(), 12U);
  EXPECT_EQ(page["title"], "grid");
}

TEST_F(ReportFigures, the_page_of_a_run_says_what_ran) {
  const json page = json::parse(to_json(make_report(view_->database())));
  std::set<std::string> said;
  for (const json& run : page["runs"]["runs"]) said.insert(run["what"].get<std::string>());
  EXPECT_TRUE(said.contains("mean under none, seed 1"));
  EXPECT_TRUE(said.contains("mean under sign_flip, 20 % attackers, seed 2")) << json(said).dump();
}

TEST_F(ReportFigures, cells_without_a_result_are_listed_once_with_their_state) {
  const Report report = make_report(view_->database());
  const ReportTable& failures = report.sections.back().tables.front();
  ASSERT_EQ(failures.id, "failures");
  ASSERT_EQ(failures.data.rows(), 2U);
  EXPECT_EQ(failures.data.at(0, "status").text(), "diverged");
  EXPECT_EQ(failures.data.at(0, "place").text(), "share 0.3");
  EXPECT_EQ(failures.data.at(1, "status").text(), "missing");
  EXPECT_EQ(failures.data.at(1, "rule").text(), "krum");
}

std::vector<std::string> names_of(const std::vector<FigureState>& states) {
  std::vector<std::string> names;
  for (const FigureState& state : states) names.push_back(state.name);
  return names;
}

TEST_F(ReportFigures, every_axis_can_be_the_lines_at_a_place_of_the_others) {
  const json spec = json::parse(curves(study_, view_->database()).at(0).spec);
  std::map<std::string, json> params;
  for (const json& param : spec["params"]) params[param["name"]] = param;
  EXPECT_EQ(params.at("lines")["bind"]["options"], json({"rule", "attack", "axis1"}));
  EXPECT_EQ(params.at("lines")["bind"]["labels"], json({"rule", "attack", "share"}));
  EXPECT_EQ(params.at("axis1")["bind"]["options"], json({"0.1", "0.3"}));
  std::vector<std::string> filters;
  for (const json& step : spec["transform"]) {
    if (step.contains("filter")) filters.push_back(step["filter"]);
  }
  EXPECT_THAT(filters, testing::IsSupersetOf(
                           {"lines == 'rule' || datum.rule == rule", "lines == 'axis1' || datum.axis1 == axis1"}));
  // along an axis, the axis itself cannot be
  const json along = json::parse(numeric_axes(study_).at(0).spec);
  for (const json& param : along["params"]) {
    if (param["name"] == "lines") {
      EXPECT_EQ(param["bind"]["options"], json({"rule", "attack"}));
    }
  }
}

TEST_F(ReportFigures, curves_are_printed_at_every_place_with_two_lines_under_its_name) {
  const std::vector<std::string> names = names_of(states_of(curves(study_, view_->database()).at(0)));
  const std::string odd = "x________script_";  // the label of the attack
  EXPECT_THAT(
      names,
      testing::UnorderedElementsAre(
          "curves-accuracy-by-rule-attack-none-share-0.1", "curves-accuracy-by-rule-attack-none-share-0.3",
          "curves-accuracy-by-rule-attack-" + odd + "-share-0.1",
          "curves-accuracy-by-rule-attack-" + odd + "-share-0.3", "curves-accuracy-by-attack-rule-mean-share-0.1",
          "curves-accuracy-by-attack-rule-mean-share-0.3", "curves-accuracy-by-attack-rule-krum-share-0.1",
          "curves-accuracy-by-attack-rule-krum-share-0.3", "curves-accuracy-by-share-rule-mean-attack-none",
          "curves-accuracy-by-share-rule-krum-attack-none", "curves-accuracy-by-share-rule-mean-attack-" + odd,
          "curves-accuracy-by-share-rule-krum-attack-" + odd));
}

TEST_F(ReportFigures, a_standalone_specification_has_the_data_of_its_state_and_nothing_to_choose) {
  const Figure map = heat_maps(study_).at(0);
  const std::vector<FigureState> states = states_of(map);
  EXPECT_THAT(names_of(states),
              testing::IsSupersetOf({"heat-accuracy-mean-share-all_together", "heat-accuracy-worst-share-0.3"}));
  const auto state = std::ranges::find(states, "heat-accuracy-worst-share-0.3", &FigureState::name);
  ASSERT_NE(state, states.end());
  const json spec = json::parse(standalone_spec(map, *state));
  EXPECT_EQ(spec["data"]["values"].size(), rows_with(map, {{"axis1", "0.3"}, {"metric", "accuracy"}}).size());
  EXPECT_EQ(spec["title"]["subtitle"], "share 0.3");
  for (const json& param : spec["params"]) {
    EXPECT_FALSE(param.contains("bind"));
    if (param["name"] == "statistic") {
      EXPECT_EQ(param["value"], "worst");
    } else if (param["name"] == "axis1") {
      EXPECT_EQ(param["value"], "0.3");
    }
  }
}

TEST(FigureStates, places_whose_names_differ_in_odd_characters_alone_get_numbers) {
  DataSet data({"attack", "mean"});
  for (const char* attack : {"a/b", "a:b", "a?b"}) data.add({attack, 1.0});
  data.add({"never", ReportValue()});
  const json spec = {
      {"params", {{{"name", "attack"}, {"bind", {{"name", "Attack"}, {"options", {"a/b", "a:b", "a?b", "never"}}}}}}}};
  const Figure figure{.id = "x", .title = "X", .note = "", .spec = spec.dump(), .data = data};
  EXPECT_THAT(names_of(states_of(figure)), testing::ElementsAre("x-attack-a_b", "x-attack-a_b-2", "x-attack-a_b-3"));
}

TEST_F(ReportFigures, equal_results_make_equal_pages) {
  const ResultsView again = view_of(folder_);
  EXPECT_EQ(to_json(make_report(again.database())), to_json(make_report(view_->database())));
}

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

TEST(ReportTheme, a_colour_of_one_theme_stands_for_no_other_category_in_the_other) {
  const auto light = json::parse(light_theme())["range"]["category"].get<std::vector<std::string>>();
  const auto dark = json::parse(dark_theme())["range"]["category"].get<std::vector<std::string>>();
  ASSERT_EQ(light.size(), dark.size());
  for (std::size_t i = 0; i < light.size(); ++i) {
    for (std::size_t j = 0; j < dark.size(); ++j) EXPECT_TRUE(i == j || light[i] != dark[j]) << light[i];
  }
}

TEST(ReportTheme, no_two_categories_have_one_colour) {
  for (const std::string& theme : {light_theme(), dark_theme()}) {
    const auto colours = json::parse(theme)["range"]["category"].get<std::vector<std::string>>();
    EXPECT_GE(colours.size(), 10U);
    EXPECT_EQ(std::set<std::string>(colours.begin(), colours.end()).size(), colours.size());
  }
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

/// One run of four clients with a market: agent 3 is malicious.
class ReportMarket : public testing::Test {
 protected:
  ReportMarket() {
    const auto folder = fresh_folder() / "run";
    write_run(folder, {.rule = "mean", .attack = "sign_flip", .metrics = {}});
    const auto sink = open_sqlite_sink(folder / "results.sqlite");
    SetUpRecord set_up;
    for (std::uint32_t agent = 0; agent < 4; ++agent) {
      set_up.agents.push_back({{agent}, "client", 5, agent == 3 ? 0 : -1, 1e9, 1e6});
    }
    sink->commit_set_up(set_up);
    for (std::uint32_t round = 1; round <= 2; ++round) {
      RoundRecord record;
      record.round = {round};
      for (std::uint32_t agent = 0; agent < 4; ++agent) {
        const double weight = agent == 3 ? 0.4 : 0.2;
        record.selections.push_back({{agent}, SelectionOutcome::accepted, 5, 1.0, weight, std::nullopt});
        record.add("cosine_to_aggregate", agent == 3 ? -0.5 : 0.5, agent);
      }
      record.transfers.push_back({"deposit", 3, -1, 500'000});  // comes back: nobody's income
      record.transfers.push_back({"payment", -1, 0, 1'000'000});
      record.transfers.push_back({"payment", -1, 3, round * 2'000'000});
      record.transfers.push_back({"deposit back", -1, 3, 500'000});
      sink->commit(record);
    }
    view_.emplace(view_of(folder));
    study_ = Study::read(view_->database());
  }
  const Figure& figure(const std::string& id) {
    if (figures_.empty()) {
      figures_ = selection_and_payment(study_, view_->database());
      for (Figure& more : contribution_and_reward(study_, view_->database())) figures_.push_back(std::move(more));
    }
    for (const Figure& one : figures_) {
      if (one.id == id) return one;
    }
    throw std::runtime_error("no figure " + id);
  }
  std::optional<ResultsView> view_;
  Study study_;
  std::vector<Figure> figures_;
};

TEST_F(ReportMarket, attackers_have_their_share_of_weight_and_of_what_was_paid_so_far) {
  const auto weight = rows_with(figure("groups"), {{"metric", "malicious_weight_share"}});
  ASSERT_EQ(weight.size(), 2U);
  EXPECT_NEAR(weight[0]["mean"], 40.0, 1e-4);
  const auto income = rows_with(figure("groups"), {{"metric", "malicious_income_share"}});
  ASSERT_EQ(income.size(), 2U);
  EXPECT_NEAR(income[0]["mean"], 100.0 * 2 / 3, 1e-3);  // 2 of 3 credits
  EXPECT_NEAR(income[1]["mean"], 75.0, 1e-4);           // 6 of 8
  EXPECT_NEAR(*study_.runs[0].final_value(malicious_income_share), 0.75, 1e-12);
}

TEST_F(ReportMarket, income_of_a_group_is_per_member_and_adds_up) {
  const auto benign = rows_with(figure("income"), {{"group", "benign"}});
  const auto malicious = rows_with(figure("income"), {{"group", "malicious"}});
  ASSERT_EQ(benign.size(), 2U);
  EXPECT_NEAR(benign[1]["mean"], 2.0 / 3.0, 1e-5);
  EXPECT_NEAR(malicious[0]["mean"], 2.0, 1e-9);
  EXPECT_NEAR(malicious[1]["mean"], 6.0, 1e-9);
}

TEST_F(ReportMarket, lorenz_curves_of_weight_and_income) {
  // incomes 0 0 2 6: half of the clients have nothing, three quarters have a quarter
  const auto half = rows_with(figure("lorenz"), {{"metric", "income"}, {"part", 50.0}});
  ASSERT_EQ(half.size(), 1U);
  EXPECT_NEAR(half[0]["share"], 0.0, 1e-9);
  EXPECT_NEAR(rows_with(figure("lorenz"), {{"metric", "income"}, {"part", 75.0}}).at(0)["share"], 25.0, 1e-9);
  // weights 0.4 0.4 0.4 0.8
  EXPECT_NEAR(rows_with(figure("lorenz"), {{"metric", "weight"}, {"part", 75.0}}).at(0)["share"], 60.0, 1e-4);
}

TEST_F(ReportMarket, flows_are_sums_of_the_ledger) {
  const auto rows = rows_with(figure("flows"), {{"payer", "buyer 1"}, {"payee", "3"}});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_NEAR(rows[0]["credits"], 6.0, 1e-9);
  EXPECT_EQ(rows[0]["group"], "malicious");
}

TEST_F(ReportMarket, contribution_stands_against_reward_for_every_client) {
  const auto rows = rows_with(figure("contribution"), {{"agent", 3}});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0]["group"], "malicious");
  EXPECT_NEAR(rows[0]["contribution"], -0.5, 1e-9);
  EXPECT_NEAR(rows[0]["weight"], 0.8, 1e-6);
  EXPECT_NEAR(rows[0]["income"], 6.0, 1e-9);
}

TEST(ReportOfBuyers, every_buyers_model_and_money_are_shown) {
  const auto folder = fresh_folder() / "run";
  write_run(folder, {.attack = "zero {} } market { rivals { name: \"b\" } unit_price"});
  {
    const auto sink = open_sqlite_sink(folder / "results.sqlite");
    RoundRecord record;
    record.round = {1};
    record.add("accuracy", 0.9);
    record.add("asr", 0.001);
    record.add("buyer.b.accuracy", 0.8);
    record.add("buyer.b.asr", 0.9);
    record.transfers = {{"payment", -1, 0, 300}, {"payment", -1, 9, 100}};
    record.transfers.push_back({"payment", -1, 1, 100, first_buyer - 1});
    record.transfers.push_back({"payment", -1, 9, 300, first_buyer - 1});
    record.selections.push_back({{9}, SelectionOutcome::accepted, 5, 1.0, 1.0, std::nullopt, first_buyer - 1});
    sink->commit(record);
  }
  const ResultsView view = view_of(folder);
  const Study study = Study::read(view.database());
  const auto rows = buyer_table(study).data.to_rows_json();
  const json table = json::parse(rows);
  ASSERT_EQ(table.size(), 2U);
  EXPECT_EQ(table[0]["buyer"], "first");
  EXPECT_NEAR(table[0]["malicious_income_share"], 25.0, 1e-9);
  EXPECT_EQ(table[1]["buyer"], "b");
  EXPECT_NEAR(table[1]["asr"], 90.0, 1e-9);
  EXPECT_NEAR(table[1]["malicious_income_share"], 75.0, 1e-9);
  EXPECT_NEAR(table[1]["malicious_weight_share"], 100.0, 1e-9);
  const std::string overview = overview_json(study, judge(study, {}), {});
  EXPECT_THAT(overview, testing::HasSubstr("first: accuracy 90.0 %, attack success 0.1 %, 25.0 % of its money"));
  EXPECT_THAT(overview, testing::HasSubstr("b: accuracy 80.0 %, attack success 90.0 %, 75.0 % of its money"));
  for (const Figure& one : selection_and_payment(study, view.database())) {
    if (one.id != "flows") continue;
    EXPECT_EQ(rows_with(one, {{"payer", "buyer 2"}, {"payee", "9"}}).size(), 1U);
    EXPECT_EQ(rows_with(one, {{"payer", "escrow"}}).size(), 0U);
  }
}

/// A market of two clients, the second of them malicious, in three rounds: seed 1 pays the benign one in round 2, and
/// seed 2 both in round 1.
class ReportMarketOfSeeds : public testing::Test {
 protected:
  ReportMarketOfSeeds() {
    const auto folder = fresh_folder() / "sweep";
    for (const std::string seed : {"1", "2"}) {
      const auto directory = folder / "cells" / seed;
      write_run(directory, {.rule = "mean", .attack = "sign_flip", .seed = seed == "1" ? 1U : 2U});
      const auto sink = open_sqlite_sink(directory / "results.sqlite");
      sink->commit_set_up({.agents = {{{0}, "seller", 5, -1, 1e9, 1e6}, {{1}, "seller", 5, 0, 1e9, 1e6}},
                           .partition = {},
                           .metrics = {},
                           .events = {}});
      for (std::uint32_t round = 1; round <= 3; ++round) {
        RoundRecord record;
        record.round = {round};
        if (round == 1) record.transfers.push_back({"issue", -2, -2, 9'000'000});
        for (std::uint32_t agent = 0; agent < 2; ++agent) record.add("cosine_to_aggregate", 0.5, agent);
        if (seed == "1" && round == 2) record.transfers.push_back({"payment", -1, 0, 4'000'000});
        if (seed == "2" && round == 1) {
          record.transfers.push_back({"payment", -1, 0, 1'000'000});
          record.transfers.push_back({"payment", -1, 1, 3'000'000});
        }
        sink->commit(record);
      }
    }
    write_sweep(folder, "market",
                {{"1", {{"aggregator", "mean"}, {"attack", "sign_flip"}, {"seed", "1"}}},
                 {"2", {{"aggregator", "mean"}, {"attack", "sign_flip"}, {"seed", "2"}}}});
    view_.emplace(view_of(folder));
    study_ = Study::read(view_->database());
  }
  std::vector<double> means(const std::string& figure, const json& wanted) {
    for (const Figure& one : selection_and_payment(study_, view_->database())) {
      if (one.id != figure) continue;
      std::vector<double> values;
      for (const json& row : rows_with(one, wanted)) values.push_back(row["mean"]);
      return values;
    }
    return {};
  }
  std::optional<ResultsView> view_;
  Study study_;
};

TEST_F(ReportMarketOfSeeds, rounds_and_runs_without_a_payment_count_as_none) {
  EXPECT_THAT(means("income", {{"group", "malicious"}}), testing::ElementsAre(1.5, 1.5, 1.5));
  EXPECT_THAT(means("income", {{"group", "benign"}}), testing::ElementsAre(0.5, 2.5, 2.5));
  // Seed 1 has no share before it pays.
  EXPECT_THAT(means("groups", {{"metric", "malicious_income_share"}}), testing::ElementsAre(75.0, 37.5, 37.5));
  EXPECT_DOUBLE_EQ(*study_.runs[0].paid, 4.0);
  EXPECT_DOUBLE_EQ(study_.runs[1].paid_to_attackers, 3.0);
}

TEST_F(ReportMarketOfSeeds, rounds_have_ticks_at_whole_numbers) {
  const auto figures = selection_and_payment(study_, view_->database());
  const auto income = std::ranges::find(figures, "income", &Figure::id);
  ASSERT_NE(income, figures.end());
  EXPECT_EQ(json::parse(income->spec)["encoding"]["x"]["axis"]["tickMinStep"], 1);
}

TEST_F(ReportMarketOfSeeds, clients_that_were_paid_nothing_are_drawn_at_0_and_points_have_the_seed_of_their_run) {
  const Figure figure = contribution_and_reward(study_, view_->database()).at(0);
  const auto refused = rows_with(figure, {{"agent", 1}, {"seed", "1"}});
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_DOUBLE_EQ(refused[0]["income"], 0.0);
  const auto paid = rows_with(figure, {{"agent", 1}, {"seed", "2"}});
  ASSERT_EQ(paid.size(), 1U);
  EXPECT_DOUBLE_EQ(paid[0]["income"], 3.0);
}

TEST(ReportValuation, contribution_is_what_the_valuation_says_where_there_is_one) {
  const auto folder = fresh_folder() / "run";
  write_run(folder, {.rule = "mean", .attack = "sign_flip", .metrics = {}});
  const auto sink = open_sqlite_sink(folder / "results.sqlite");
  sink->commit_set_up({.agents = {{{0}, "seller", 5, -1, 1e9, 1e6}}, .partition = {}, .metrics = {}, .events = {}});
  for (std::uint32_t round = 1; round <= 2; ++round) {
    RoundRecord record;
    record.round = {round};
    record.selections.push_back({{0}, SelectionOutcome::accepted, 5, 1.0, 1.0, std::nullopt});
    record.add("cosine_to_aggregate", 0.9, 0);
    record.add("value", 0.25 * round, 0);
    sink->commit(record);
  }
  const ResultsView view = view_of(folder);
  const std::vector<Figure> figures = contribution_and_reward(Study::read(view.database()), view.database());
  ASSERT_EQ(figures.size(), 1U);
  EXPECT_NEAR(rows_with(figures[0], {{"agent", 0}}).at(0)["contribution"], 0.375, 1e-9);
  EXPECT_THAT(figures[0].spec, testing::HasSubstr("market's valuation"));
}

TEST(ReportValuation, values_and_cosines_are_never_on_one_axis) {
  const auto folder = fresh_folder();
  for (const std::string name : {"valued", "plain"}) {
    write_run(folder / name, {.rule = name == "plain" ? "median" : "mean", .metrics = {}});
    const auto sink = open_sqlite_sink(folder / name / "results.sqlite");
    RoundRecord record;
    record.round = {1};
    record.add("cosine_to_aggregate", 0.9, 0);
    if (name == "valued") record.add("value", 0.25, 0);
    sink->commit(record);
  }
  const std::vector<std::filesystem::path> places{folder / "valued", folder / "plain"};
  const ResultsView view = ResultsView::load(places, ResultsView::Detail::federation);
  const std::vector<Figure> figures = contribution_and_reward(Study::read(view.database()), view.database());
  ASSERT_EQ(figures.size(), 2U);
  for (const Figure& figure : figures) {
    const bool valued = figure.id == "contribution-value";
    EXPECT_EQ(rows_with(figure, {}).size(), 1U);
    EXPECT_NEAR(rows_with(figure, {}).at(0)["contribution"], valued ? 0.25 : 0.9, 1e-9);
    EXPECT_EQ(figure.spec.find("valuation") != std::string::npos, valued);
  }
}

TEST(Lorenz, closed_forms) {
  const std::vector<double> equal{2, 2, 2, 2};
  for (const double part : {0.0, 0.25, 0.3, 0.9, 1.0}) EXPECT_NEAR(lorenz(equal, part), part, 1e-12);
  EXPECT_NEAR(gini(equal), 0.0, 1e-12);
  EXPECT_NEAR(gini({0, 0, 0, 7}), 0.75, 1e-12);  // 1 - 1/n
  // sum over all pairs of |a - b|, over 2 n^2 times the mean: 20 / 80
  EXPECT_NEAR(gini({1, 2, 3, 4}), 0.25, 1e-12);
  EXPECT_NEAR(lorenz({1, 2, 3, 4}, 0.625), (1 + 2 + 1.5) / 10, 1e-12);
}

TEST(Lorenz, gini_is_twice_the_area_above_the_curve) {
  const std::vector<double> amounts{0.5, 1, 1, 4, 9, 20};
  double area = 0.0;
  const int steps = 6000;  // a multiple of n, so that trapezoids are exact
  for (int i = 0; i < steps; ++i) {
    area += (lorenz(amounts, static_cast<double>(i) / steps) + lorenz(amounts, static_cast<double>(i + 1) / steps)) / 2;
  }
  EXPECT_NEAR(gini(amounts), 1.0 - 2.0 * area / steps, 1e-9);
}

TEST(Thinned, keeps_first_and_last_and_no_more_than_it_may) {
  EXPECT_THAT(thinned(0), testing::IsEmpty());
  EXPECT_THAT(thinned(1), testing::ElementsAre(0));
  EXPECT_THAT(thinned(3), testing::ElementsAre(0, 1, 2));
  for (const std::size_t count : {most_points, most_points + 1, std::size_t{200}, std::size_t{12345}}) {
    const auto kept = thinned(count);
    EXPECT_EQ(kept.size(), most_points);
    EXPECT_EQ(kept.front(), 0U);
    EXPECT_EQ(kept.back(), count - 1);
    EXPECT_EQ(std::set<std::size_t>(kept.begin(), kept.end()).size(), kept.size());
  }
}

}  // namespace
}  // namespace souk
