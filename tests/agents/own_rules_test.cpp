// Runs with rules and attacks in Python.
#include <gmock/gmock.h>

#include "agents/training/saved_model.hpp"
#include "agents/training/source_files.hpp"
#include "tests/support/own_code.hpp"
#include "tests/support/simulated.hpp"

namespace souk::own_rules_test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class OwnRules : public testing::Test {
 protected:
  void SetUp() override {
    if (without_python()) GTEST_SKIP() << "this build has no Python";
  }
  static std::string scenario_with(const std::string& rule, const std::string& attack) {
    return "rounds: 4 task { data { glyphs { train_samples: 240 test_samples: 60 } } model { mlp { hidden: 12 } } "
           "training { batch_size: 16 learning_rate: 0.1 } } participants { clients: 8 per_round: 6 } "
           "root { samples: 20 } aggregator { python { " +
           rule + " } } attacks { members { id: 1 id: 4 } " + attack + " }";
  }
  static std::string file(const std::string& path) { return "file: \"" + path + "\""; }
};

TEST_F(OwnRules, give_the_same_bits_on_any_number_of_ranks_and_after_a_resume) {
  const std::string rule = own_file(
      "import numpy as np\n"
      "def aggregate(updates, weights, round, state, random, root_losses, root_update):\n"
      "  state['n'] = state.get('n', 0) + 1\n"
      "  near = np.argsort(root_losses)[:4]\n"
      "  return updates[near].mean(axis=0) + 0.1 * root_update + 1e-3 * state['n'] * "
      "random.normal(size=len(root_update))",
      "rule.py");
  const std::string attack = own_file(
      "def craft(own, known, round, state, random):\n"
      "  state['n'] = state.get('n', 0) + 1\n"
      "  return -own * state['n'] + 1e-3 * random.normal(size=own.shape)",
      "attack.py");
  const std::string text = scenario_with(file(rule), "python { " + file(attack) + " } knowledge: ALL");
  const Simulated alone = simulate(text);
  EXPECT_EQ(simulate(text, 3).hash, alone.hash);
  EXPECT_EQ(simulate(text, 2, 2).hash, alone.hash);
  EXPECT_EQ(simulate(text, 1, 3).state, alone.state);
}

TEST_F(OwnRules, that_an_attacker_tries_are_left_as_they_were) {
  // Members who know the rule try submissions on a copy of it, in its state.
  const std::string rule = own_file(
      "def aggregate(updates, state):\n"
      "  state['n'] = state.get('n', 0) + 1\n"
      "  return updates.mean(axis=0) * state['n']");
  const std::string text = scenario_with(file(rule), "ipm_opt {} knowledge: RULE");
  const std::string refused = refusal_of(text);
  if (!refused.empty()) {
    EXPECT_THAT(refused, HasSubstr("attacks[0]"));
    return;
  }
  EXPECT_EQ(simulate(text, 2).hash, simulate(text).hash);
}

TEST_F(OwnRules, make_their_files_part_of_what_a_run_is) {
  const std::string path = own_file("def aggregate(updates): return updates[0]");
  const auto resolved = [&] {
    return resolve_scenario({.file_name = "test", .text = scenario_with(file(path), "sign_flip {}"), .overrides = {}});
  };
  const auto files = source_files(*resolved().scenario);
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(files.front().field, "aggregator.python.file");
  EXPECT_EQ(files.front().sha256, sha256_hex(std::string("def aggregate(updates): return updates[0]")));
  const std::string before = contents_hash(*resolved().scenario, "data");
  EXPECT_NE(before, "data");
  EXPECT_EQ(contents_hash(*resolved().scenario, "data"), before);
  own_file("def aggregate(updates): return updates[1]");
  EXPECT_NE(contents_hash(*resolved().scenario, "data"), before);
}

TEST_F(OwnRules, are_refused_before_the_first_round) {
  const std::string rule = file(own_file("def aggregate(updates, c): return updates[0]"));
  EXPECT_THAT(refusal_of(scenario_with(rule, "sign_flip {}")), HasSubstr("own.py:1: aggregate asks for 'c'"));
  EXPECT_EQ(refusal_of(scenario_with(rule + " settings { name: \"c\" number: 1 }", "sign_flip {}")), "");
  EXPECT_THAT(refusal_of(scenario_with("", "sign_flip {}")), HasSubstr("aggregator.python.file: is empty"));
  EXPECT_THAT(refusal_of(scenario_with("file: \"nowhere.py\"", "sign_flip {}")),
              HasSubstr("aggregator.python.file = \"nowhere.py\": nowhere.py: no such file"));
  const std::string fine = file(own_file("def aggregate(updates): return updates[0]", "fine.py"));
  EXPECT_THAT(refusal_of(scenario_with(fine, "python {}")), HasSubstr("attacks[0].python.file: is empty"));
  const std::string craft = file(own_file("def craft(root_update): return root_update", "craft.py"));
  EXPECT_THAT(refusal_of(scenario_with(fine, "python { " + craft + " } knowledge: ALL")),
              HasSubstr("attacks[0].knowledge = ALL: python needs RULE"));
}

TEST_F(OwnRules, that_raise_in_a_round_end_it_with_the_traceback) {
  const std::string rule =
      file(own_file("def aggregate(updates, round):\n"
                    "  if round == 2: raise ValueError('enough')\n"
                    "  return updates[0]"));
  EXPECT_THAT(refusal_of(scenario_with(rule, "sign_flip {}")),
              AllOf(HasSubstr("own.py:2: aggregate raised ValueError: enough\nTraceback"), HasSubstr("line 2, in")));
}

}  // namespace
}  // namespace souk::own_rules_test
