// Rules and attacks of a user's own as a user runs them: docs/own-rules.md.
#include "tests/app/app_fixture.hpp"
#include "tests/support/own_code.hpp"

namespace souk::own_rules_app_test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::filesystem::path& repository() {
  static const std::filesystem::path path = own_code("").parent_path().parent_path().parent_path();
  return path;
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

class OwnRulesApp : public App {
 protected:
  void SetUp() override {
    App::SetUp();
    std::filesystem::create_directory_symlink(repository() / "scenarios", directory_ / "scenarios");
    const Ended ended = run({"conform", "scenarios/own/filtered_mean.py"});
    if (ended.err.find("without Python") != std::string::npos) GTEST_SKIP() << "this build has no Python";
  }
  Ended run_rule(const std::string& out, std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"--set", "aggregator.python={file: \"rule.py\"}"});
    return run_small(out, 0, more);
  }
  double last_accuracy(const std::string& name) const {
    return std::stod(query(directory_ / name / "results.sqlite",
                           "SELECT value FROM metric WHERE name = 'accuracy' ORDER BY round DESC LIMIT 1"));
  }
};

TEST_F(OwnRulesApp, the_rule_of_the_guide_is_the_one_that_we_ship_and_beats_krum) {
  EXPECT_THAT(text_of(repository() / "docs" / "own-rules.md"),
              HasSubstr("```python\n" + text_of(own_code("filtered_mean.py")) + "```"));
  const std::string scenario = "scenarios/own/filtered_mean.textproto";
  ASSERT_EQ(run({"run", scenario, "-q", "--out", "own"}).exit_code, 0);
  ASSERT_EQ(run({"run", scenario, "-q", "--out", "krum", "--set", "aggregator.krum={}"}).exit_code, 0);
  EXPECT_GT(last_accuracy("own"), last_accuracy("krum") + 0.2);
}

TEST_F(OwnRulesApp, conform_passes_what_every_rule_must_do_and_fails_what_does_not) {
  const Ended fine = run({"conform", "scenarios/own/filtered_mean.py", "--set", "spread=2"});
  EXPECT_EQ(fine.exit_code, 0) << fine.out << fine.err;
  EXPECT_THAT(fine.out, AllOf(HasSubstr("pass  gives the same bits on 1 and 3 ranks\n"),
                              HasSubstr("none  shifting all updates"), Not(HasSubstr("FAIL"))));
  write("bad.py",
        "import numpy as np\n"
        "rounds = []\n"
        "def aggregate(updates):\n"
        "  rounds.append(1)\n"
        "  return updates[0] * len(rounds) + np.random.default_rng().normal()\n");
  const Ended bad = run({"conform", "bad.py"});
  EXPECT_EQ(bad.exit_code, 1) << bad.out << bad.err;
  EXPECT_THAT(bad.out, AllOf(HasSubstr("FAIL  answers the same when asked again"),
                             HasSubstr("FAIL  saving, loading and going on"), HasSubstr("FAIL  permuting clients")));
  EXPECT_THAT(run({"conform", "bad.py", "--set", "c=1"}).err, HasSubstr("bad.py:3: aggregate has no argument 'c'"));
  EXPECT_EQ(run({"conform", "nowhere.py"}).exit_code, 2);
  write("pay.py", "def pay(weights, available):\n  return weights\n");
  EXPECT_THAT(run({"conform", "pay.py"}).err, HasSubstr("pay.py: is a payment or a valuation"));
}

TEST_F(OwnRulesApp, conform_tries_attacks) {
  const Ended fine = run({"conform", "scenarios/own/hidden_mean.py", "--set", "stretch=0.9"});
  EXPECT_EQ(fine.exit_code, 0) << fine.out << fine.err;
  EXPECT_EQ(count_of(fine.out, "pass  "), 11U) << fine.out;
  EXPECT_EQ(count_of(text_of(repository() / "docs" / "own-rules.md"), fine.out), 1U) << fine.out;
  write("bad.py",
        "import numpy as np\n"
        "rounds = []\n"
        "def craft(own, root_update):\n"
        "  rounds.append(1)\n"
        "  return own * len(rounds) + np.random.default_rng().normal()\n");
  const Ended bad = run({"conform", "bad.py"});
  EXPECT_EQ(bad.exit_code, 1) << bad.out << bad.err;
  EXPECT_THAT(
      bad.out,
      AllOf(HasSubstr("FAIL  does the same when run again: the model or a state is another one\n"),
            HasSubstr("FAIL  saving, loading and going on"), HasSubstr("none  crafts with knowledge ALL"),
            HasSubstr("pass  leaves what others train as it is"), HasSubstr("pass  crafts with knowledge RULE")));
  write("raises.py", "def craft(own):\n  raise ValueError('enough')\n");
  EXPECT_THAT(run({"conform", "raises.py"}).out, AllOf(HasSubstr("FAIL  crafts for a group of three: "),
                                                       HasSubstr("raises.py:2: craft raised ValueError: enough")));
  EXPECT_EQ(run({"conform", "bad.py", "--set", "c=1"}).exit_code, 2);
}

TEST_F(OwnRulesApp, panels_are_the_same_on_any_number_of_ranks) {
  write("rows.py", "columnwise = True\ndef aggregate(updates): return updates[abs(updates).sum(axis=1).argmin()]\n");
  const Ended rows = run({"aggregate", "python", "--set", "file=rows.py", "--updates", "nowhere.npy"});
  EXPECT_EQ(rows.exit_code, 2);
  // Panels are the same for any number of ranks, and so are the bits, whatever the function does with them.
  EXPECT_THAT(run({"conform", "rows.py"}).out, HasSubstr("pass  gives the same bits on 1 and 3 ranks"));
}

TEST_F(OwnRulesApp, an_exception_shows_its_traceback_once_and_ends_all_ranks) {
  write("rule.py",
        "def inner(round):\n"
        "  if round == 2: raise ValueError('enough')\n"
        "def aggregate(updates, round):\n"
        "  print('hello from round', round)\n"
        "  inner(round)\n"
        "  return updates[0]\n");
  const Ended ended = run(
      {"run", "small.textproto", "-q", "--out", "a", "--ranks", "2", "--set", "aggregator.python={file: \"rule.py\"}"});
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_EQ(count_of(ended.err, "Traceback (most recent call last):"), 1U) << ended.err;
  EXPECT_THAT(ended.err, AllOf(HasSubstr("rule.py:2: aggregate raised ValueError: enough"),
                               HasSubstr("if round == 2: raise ValueError('enough')")));
  EXPECT_EQ(count_of(ended.err, "hello from round 1"), 1U);
  EXPECT_EQ(ended.out, "");
}

TEST_F(OwnRulesApp, a_run_goes_on_with_its_state_and_not_with_another_file) {
  const std::string rule =
      "def aggregate(updates, state):\n"
      "  state['n'] = state.get('n', 0) + 1\n"
      "  return updates.mean(axis=0) * (1 + 0.1 * state['n'])\n";
  write("rule.py", rule);
  const std::string whole = hash_of(run_rule("whole"));
  const Ended broken = run_rule("a", {"--inject-fault", "rank=0,round=4,phase=aggregate"});
  EXPECT_NE(broken.exit_code, 0);
  write("rule.py", rule + "# changed\n");
  const Ended other = run_rule("a", {"--resume"});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_THAT(other.err, HasSubstr("the code is not what this run began with: aggregator.python.file "));
  write("rule.py", rule);
  EXPECT_EQ(hash_of(run_rule("a", {"--resume"})), whole);
}

TEST_F(OwnRulesApp, a_function_that_hangs_is_found) {
  write("rule.py", "def aggregate(updates, round):\n  while round == 2: pass\n  return updates[0]\n");
  const Ended ended = run_rule("a", {"--stall-timeout", "1"});
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("python"), HasSubstr("round 2"))) << ended.err;
}

}  // namespace
}  // namespace souk::own_rules_app_test
