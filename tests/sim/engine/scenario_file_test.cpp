#include "sim/engine/scenario_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/scenario.pb.h"
#include "sim/base/error.hpp"
#include "sim/engine/schema_info.hpp"

namespace souk::scenario_file_test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

ResolvedScenario resolve(const std::string& text, std::vector<std::string> overrides = {}) {
  return resolve_scenario({.file_name = "a.textproto", .text = text, .overrides = std::move(overrides)});
}

std::string error_of(const std::string& text, std::vector<std::string> overrides = {}) {
  try {
    resolve(text, std::move(overrides));
    return "no error";
  } catch (const InputError& error) {
    return error.what();
  }
}

TEST(ScenarioFile, fills_every_default_and_chooses_where_nothing_is_chosen) {
  const ResolvedScenario resolved = resolve("");
  const scenario::Scenario& scenario = *resolved.scenario;

  EXPECT_TRUE(scenario.has_seed());
  EXPECT_EQ(scenario.rounds(), 50U);
  EXPECT_TRUE(scenario.aggregator().has_mean());
  EXPECT_TRUE(scenario.aggregator().mean().has_weighting());
  EXPECT_TRUE(scenario.task().data().has_glyphs());
  EXPECT_EQ(scenario.participants().per_round(), 10U);
  EXPECT_EQ(scenario.task().training().local_epochs(), 1U);
}

TEST(ScenarioFile, the_default_of_ten_clients_per_round_is_all_of_a_smaller_federation) {
  EXPECT_EQ(resolve("participants { clients: 4 }").scenario->participants().per_round(), 4U);
}

TEST(ScenarioFile, keeps_what_was_chosen_in_a_oneof) {
  const ResolvedScenario resolved = resolve("participants { fraction: 0.5 } partition { shards {} }");

  EXPECT_FALSE(resolved.scenario->participants().has_per_round());
  EXPECT_EQ(resolved.scenario->partition().shards().per_client(), 2U);
  EXPECT_FALSE(resolved.scenario->partition().has_iid());
}

TEST(ScenarioFile, may_begin_with_the_mark_of_utf8_and_is_no_utf16) {
  const std::string mark = "\xEF\xBB\xBF";
  EXPECT_EQ(resolve(mark + "seed: 7").scenario->seed(), 7U);
  EXPECT_EQ(resolve(mark + "{\"seed\": \"7\"}").scenario->seed(), 7U);
  EXPECT_THAT(error_of(mark + "sed: 7"), HasSubstr("a.textproto:1:1"));
  EXPECT_EQ(error_of(std::string("\xFF\xFEs\0", 4)), "a.textproto: is UTF-16: save it as UTF-8");
  EXPECT_EQ(error_of(std::string("\xFE\xFF\0s", 4)), "a.textproto: is UTF-16: save it as UTF-8");
}

TEST(ScenarioFile, json_and_text_mean_the_same) {
  const ResolvedScenario json = resolve(R"({"seed": "7", "aggregator": {"median": {}}})");
  const ResolvedScenario text = resolve("seed: 7 aggregator { median {} }");

  EXPECT_EQ(to_text(*json.scenario), to_text(*text.scenario));
}

TEST(ScenarioFile, reports_all_unknown_fields_with_their_places_and_the_nearest_name) {
  const std::string error = error_of("name: \"x\"\nruonds: 3\ntask {\n  modle { mlp {} }\n}\n");

  EXPECT_THAT(error, AllOf(HasSubstr("a.textproto:2:1: "), HasSubstr("Did you mean 'rounds'?"),
                           HasSubstr("a.textproto:4:3: "), HasSubstr("Did you mean 'model'?")));
}

TEST(ScenarioFile, reports_values_outside_their_range_with_their_place) {
  EXPECT_THAT(error_of("rounds: 0\nserver {\n  learning_rate: -1 }"),
              AllOf(HasSubstr("a.textproto:1:1: rounds = 0 is outside [1, "),
                    HasSubstr("a.textproto:3:3: server.learning_rate = -1 is outside above 0")));
  EXPECT_THAT(error_of("attacks { count: 1 sign_flip {} } attacks { count: 0 sign_flip {} }"),
              HasSubstr("attacks[1].count = 0"));
}

TEST(ScenarioFile, overrides_reach_messages_lists_and_enums) {
  const ResolvedScenario resolved =
      resolve("attacks { sign_flip {} }",
              {"aggregator.mean.weighting=UNIFORM", "task.model.mlp.hidden=64,32", "task.model.mlp.hidden[1]=16",
               "attacks.0.sign_flip.scale=3", "attacks[1].label_flip={}", "name=two-words", "task.data.csv.ignore=a"});
  const scenario::Scenario& scenario = *resolved.scenario;

  EXPECT_EQ(scenario.aggregator().mean().weighting(), scenario::Mean::UNIFORM);
  EXPECT_THAT(scenario.task().model().mlp().hidden(), testing::ElementsAre(64, 16));
  EXPECT_EQ(scenario.attacks(0).sign_flip().scale(), 3.0);
  EXPECT_TRUE(scenario.attacks(1).has_label_flip());
  EXPECT_EQ(scenario.name(), "two-words");
  EXPECT_EQ(scenario.task().data().csv().ignore(0), "a");
}

TEST(ScenarioFile, an_override_replaces_another_choice_of_the_oneof) {
  EXPECT_TRUE(resolve("aggregator { mean {} }", {"aggregator.median={}"}).scenario->aggregator().has_median());
}

TEST(ScenarioFile, wrong_overrides_say_what_was_expected) {
  EXPECT_THAT(error_of("", {"rounds=many"}), HasSubstr("--set rounds = many: expected uint32"));
  EXPECT_THAT(error_of("", {"aggregator.mean.weighting=SOME"}), HasSubstr("one of BY_SAMPLES, UNIFORM"));
  EXPECT_THAT(error_of("", {"participants.client=3"}), HasSubstr("Did you mean 'clients'?"));
  EXPECT_THAT(error_of("", {"attacks[2].count=3"}), HasSubstr("index 2 is outside the list of 0 elements"));
  EXPECT_THAT(error_of("", {"rounds.x=3"}), HasSubstr("'rounds' has no fields below it"));
  EXPECT_THAT(error_of("", {"rounds"}), HasSubstr("expected path=value"));
  EXPECT_THAT(error_of("", {"rounds=0"}), HasSubstr("--set rounds = 0 is outside"));
  EXPECT_THAT(error_of("", {"seed=-1"}), HasSubstr("--set seed = -1"));
}

TEST(Identity, ignores_cosmetic_fields_and_nothing_else) {
  const std::string base = identity_of(*resolve("").scenario);

  EXPECT_EQ(base.size(), 64U);
  EXPECT_EQ(identity_of(*resolve("name: \"other\" output { tensorboard: true } checkpoint { every: 1 }").scenario),
            base);
  EXPECT_EQ(identity_of(*resolve("rounds: 50").scenario), base);  // an explicit default is the same run
  EXPECT_NE(identity_of(*resolve("seed: 2").scenario), base);
  EXPECT_NE(identity_of(*resolve("aggregator { median {} }").scenario), base);
}

TEST(Identity, the_first_difference_names_the_field_and_both_values) {
  const auto a = resolve("participants { clients: 30 }");
  const auto b = resolve("participants { clients: 40 } name: \"b\"");

  EXPECT_EQ(first_difference(*a.scenario, *b.scenario), "participants.clients is 30 in one and 40 in the other");
  EXPECT_EQ(first_difference(*a.scenario, *resolve("participants { clients: 30 } name: \"c\"").scenario), std::nullopt);
  EXPECT_THAT(first_difference(*a.scenario, *resolve("participants { clients: 30 } attacks { gaussian {} }").scenario)
                  .value_or(""),
              HasSubstr("attacks[0]"));
}

TEST(DidYouMean, suggests_near_names_only) {
  EXPECT_EQ(did_you_mean("medain", {"mean", "median"}), " Did you mean 'median'?");
  EXPECT_EQ(did_you_mean("xyzzy", {"mean", "median"}), "");
  EXPECT_EQ(did_you_mean("acc", {"asr", "accuracy", "accuracy_of_class"}), " Did you mean 'accuracy'?");
  EXPECT_EQ(did_you_mean("krum", {"mean", "multi_krum"}), " Did you mean 'multi_krum'?");
  EXPECT_EQ(did_you_mean("as", {"asr", "accuracy"}), " Did you mean 'asr'?");
}

TEST(Schema, every_message_and_field_has_a_comment) {
  for (const google::protobuf::Descriptor* type : schema_messages()) {
    EXPECT_NE(comment_of(*type), "") << type->full_name();
    for (int f = 0; f < type->field_count(); ++f) {
      EXPECT_NE(comment_of(*type->field(f)), "") << type->field(f)->full_name();
    }
  }
}

}  // namespace
}  // namespace souk::scenario_file_test
