#include <algorithm>
#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "analysis/report/overview.hpp"
#include "analysis/report/series.hpp"
#include "analysis/report/tables.hpp"
#include "analysis/report/theme.hpp"
#include "tests/analysis/report_fixture.hpp"

namespace souk::report_figures_test {
namespace {

using nlohmann::json;

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

TEST_F(ReportFigures, equal_results_make_equal_pages) {
  const ResultsView again = view_of(folder_);
  EXPECT_EQ(to_json(make_report(again.database())), to_json(make_report(view_->database())));
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
}  // namespace souk::report_figures_test
