#include <gmock/gmock.h>

#include "scenarios/scenario.pb.h"
#include "scenarios/sweep.pb.h"
#include "sim/base/error.hpp"
#include "sim/engine/scenario_file.hpp"

namespace souk::paths_test {
namespace {

using testing::HasSubstr;
using testing::Optional;

ResolvedScenario scenario(const std::string& text) { return resolve_scenario({"test", text, {}}); }

constexpr const char* attacked = R"(name: "x" aggregator { pre { nnm {} } pre { bucketing {} } krum { f: 2 } }
  attacks { fraction: 0.25 badnets {} scaling {} } attacks { count: 3 sign_flip { scale: 4 } knowledge: ALL }
  task { model { mlp { hidden: [16, 8] } } })";

TEST(ValueAt, reads_fields_as_set_path_would_take_them) {
  const ResolvedScenario run = scenario(attacked);
  const auto value = [&](const char* path) { return value_at(*run.scenario, path); };
  EXPECT_THAT(value("name"), Optional(std::string("x")));
  EXPECT_THAT(value("aggregator.krum.f"), Optional(std::string("2")));
  EXPECT_THAT(value("attacks[0].fraction"), Optional(std::string("0.25")));
  EXPECT_THAT(value("attacks.1.sign_flip.scale"), Optional(std::string("4")));
  EXPECT_THAT(value("attacks[1].knowledge"), Optional(std::string("ALL")));
  EXPECT_THAT(value("task.model.mlp.hidden[1]"), Optional(std::string("8")));
  EXPECT_THAT(value("task.model.mlp.hidden"), Optional(std::string("16")));
  EXPECT_THAT(value("attack.fraction"), Optional(std::string("0.25")));
}

TEST(ValueAt, names_the_chosen_plugins_of_a_message) {
  const ResolvedScenario run = scenario(attacked);
  EXPECT_THAT(value_at(*run.scenario, "aggregator"), Optional(std::string("nnm+bucketing+krum")));
  EXPECT_THAT(value_at(*run.scenario, "attacks"), Optional(std::string("badnets+scaling+sign_flip")));
  EXPECT_THAT(value_at(*run.scenario, "attacks[1]"), Optional(std::string("sign_flip")));
  EXPECT_THAT(value_at(*run.scenario, "task.model"), Optional(std::string("mlp")));
  EXPECT_THAT(value_at(*scenario("").scenario, "attacks"), Optional(std::string("none")));
}

TEST(ValueAt, tells_what_is_not_set_from_what_does_not_exist) {
  const ResolvedScenario run = scenario("aggregator { median {} }");
  EXPECT_EQ(value_at(*run.scenario, "aggregator.krum.f"), std::nullopt);
  EXPECT_EQ(value_at(*run.scenario, "attacks[3].fraction"), std::nullopt);
  EXPECT_THROW(value_at(*run.scenario, "aggregator.krum.ff"), InputError);
  EXPECT_THROW(value_at(*run.scenario, "attacks[0].fractoin"), InputError);
  EXPECT_THROW(value_at(*run.scenario, "rounds.more"), InputError);
}

TEST(SetPath, an_empty_value_empties_a_list) {
  const ResolvedScenario run = resolve_scenario({"test", attacked, {"attacks=", "task.model.mlp.hidden="}});
  EXPECT_EQ(run.scenario->attacks_size(), 0);
  EXPECT_EQ(run.scenario->task().model().mlp().hidden_size(), 0);
}

TEST(Differences, are_listed_in_schema_order_with_both_values) {
  const ResolvedScenario a = scenario("rounds: 3 aggregator { median {} } name: \"a\"");
  const ResolvedScenario b = scenario("rounds: 4 aggregator { krum {} } name: \"b\" seed: 9");
  const std::vector<Difference> found = differences(*a.scenario, *b.scenario);
  ASSERT_EQ(found.size(), 4u);  // the name is cosmetic
  EXPECT_EQ(found[0].path, "seed");
  EXPECT_EQ(found[1].path, "rounds");
  EXPECT_THAT(found[1].first, Optional(std::string("3")));
  EXPECT_THAT(found[1].second, Optional(std::string("4")));
  EXPECT_EQ(found[2].path, "aggregator.median");
  EXPECT_THAT(found[2].first, Optional(std::string("set")));
  EXPECT_EQ(found[2].second, std::nullopt);
  EXPECT_EQ(found[3].path, "aggregator.krum.f");  // what is in a message is told, where anything is
  EXPECT_EQ(found[3].first, std::nullopt);
  EXPECT_TRUE(differences(*a.scenario, *a.scenario).empty());
}

TEST(ParseTextFormat, reports_every_error_of_any_message_with_its_place) {
  scenario::Grid grid;
  const FieldPlaces places = parse_text_format({"g", "name: \"n\"\naxis {\n  path: \"rounds\" }", {}}, grid);
  EXPECT_EQ(places.at("axis[0].path"), "3:3");
  try {
    parse_text_format({"g", "nam: 1\naxis { paht: 2 }", {}}, grid);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("g:1:1:"));
    EXPECT_THAT(error.what(), HasSubstr("Did you mean 'name'?"));
    EXPECT_THAT(error.what(), HasSubstr("g:2:8:"));
  }
}

}  // namespace
}  // namespace souk::paths_test
