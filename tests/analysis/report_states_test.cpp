#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "analysis/report/figure_states.hpp"
#include "tests/analysis/report_fixture.hpp"

namespace souk::report_states_test {
namespace {

using nlohmann::json;

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

}  // namespace
}  // namespace souk::report_states_test
