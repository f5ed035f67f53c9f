// Rules in Python, against the same rules of Souk's own.
#include <gmock/gmock.h>

#include "sim/base/archive.hpp"
#include "sim/comm/thread_team.hpp"
#include "tests/support/own_code.hpp"
#include "tests/support/rule_world.hpp"

namespace souk::python_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PythonRules : public testing::Test {
 protected:
  void SetUp() override {
    if (without_python()) GTEST_SKIP() << "this build has no Python";
  }
  static std::string rule(const std::string& text, const std::string& settings = "") {
    return "python { file: \"" + own_file(text) + "\" " + settings + " }";
  }
  static std::string refusal(const std::string& text, const RuleRound& round = {.rows = {{1, 2}, {3, 4}, {5, 7}}}) {
    try {
      run_rule(rule(text), round);
    } catch (const InputError& error) {
      return error.what();
    } catch (const PhaseError& error) {
      EXPECT_EQ(error.exit_code(), exit_bad_input);
      return error.what();
    }
    return "";
  }
};

const char* const columnwise_median =
    "import numpy as np\n"
    "columnwise = True\n"
    "def aggregate(updates): return np.median(updates, axis=0)\n";

TEST_F(PythonRules, median_by_columns_is_souks_median_on_any_number_of_ranks) {
  const RuleRound round{.rows = random_rows(9, 5000)};
  const Outcome median = run_rule("median {}", round);
  for (const int ranks : {1, 2, 3, 7}) {
    const std::string text = rule(columnwise_median);
    run_team(ranks, [&](const Comm& comm) {
      const auto own = make_rule(text);
      EXPECT_EQ(run_rule(*own, comm, round), median) << ranks << " ranks";
    });
  }
}

TEST_F(PythonRules, krum_from_distances_is_souks_krum) {
  const RuleRound round{.rows = random_rows(9, 5000), .tolerated_f = 2};
  const Outcome krum = run_rule("krum {}", round);
  const std::string text = rule(
      "import numpy as np\n"
      "def aggregate(distances, tolerated_f):\n"
      "  n = len(distances)\n"
      "  others = np.sort(distances + np.diag([np.inf] * n), axis=1)\n"
      "  scores = -others[:, : n - tolerated_f - 2].sum(axis=1)\n"
      "  weights = np.zeros(n); weights[np.argmax(scores)] = 1\n"
      "  return {'weights': weights, 'scores': scores}\n");
  for (const int ranks : {1, 3}) {
    run_team(ranks, [&](const Comm& comm) {
      const Outcome own = run_rule(*make_rule(text), comm, round);
      EXPECT_EQ(own.step, krum.step);
      EXPECT_EQ(own.weights, krum.weights);
      for (std::size_t i = 0; i < 9; ++i) EXPECT_NEAR(own.scores[i], krum.scores[i], 1e-8);
      EXPECT_FALSE(own.by_coordinate);
    });
  }
}

TEST_F(PythonRules, are_handed_what_they_ask_for) {
  const RuleRound round{.rows = {{3, 4}, {0, 1}},
                        .tolerated_f = 1,
                        .round = 5,
                        .samples = {30, 10},
                        .agents = {4, 9},
                        .global = {7, 8},
                        .root_update = {1, 2}};
  const std::string text = rule(
      "import numpy as np\n"
      "def aggregate(updates, weights, round, clients, tolerated_f, root_update, parameters, gram, distances, norms,\n"
      "              root_losses, root_loss):\n"
      "  assert updates.tolist() == [[3, 4], [0, 1]] and updates.dtype == np.float32\n"
      "  assert weights.tolist() == [0.75, 0.25] and round == 5 and clients.tolist() == [4, 9] and tolerated_f == 1\n"
      "  assert root_update.tolist() == [1, 2] and parameters.tolist() == [7, 8]\n"
      "  assert gram.tolist() == [[25, 4], [4, 1]] and distances.tolist() == [[0, 18], [18, 0]]\n"
      "  assert norms.tolist() == [5, 1]\n"
      "  assert root_losses.tolist() == [4, 1] and root_loss == 2.5\n"
      "  return weights @ updates\n");
  const Outcome outcome = run_rule(text, round);
  EXPECT_THAT(outcome.step, ElementsAre(2.25F, 3.25F));
  EXPECT_TRUE(outcome.by_coordinate);
  const RuleNeeds needs = make_rule(text)->needs();
  EXPECT_TRUE(needs.tolerated_f && needs.root_update && needs.root_data);
  EXPECT_FALSE(needs.memory || make_rule(rule("def aggregate(updates): pass"))->needs().root_data);
}

TEST_F(PythonRules, see_the_updates_themselves_on_one_rank) {
  const Rows rows = random_rows(4, 100);
  const TestMatrix matrix(Comm::self(), rows);
  const auto own =
      make_rule(rule("def aggregate(updates):\n"
                     "  return {'step': updates[0], 'diagnostics': {'at': updates.__array_interface__['data'][0],"
                     " 'stride': updates.strides[0]}}\n"));
  const std::vector<Submission> submissions(4);
  Stream random(5, StreamKey{Purpose::aggregation, nobody, {1}});
  const RuleOutput output = own->aggregate(
      {.comm = Comm::self(), .round = {1}, .submissions = submissions, .updates = matrix.columns(), .random = random});
  EXPECT_EQ(output.diagnostics.at("at"),
            static_cast<double>(reinterpret_cast<std::uintptr_t>(matrix.columns().row(0).data())));
  EXPECT_EQ(output.diagnostics.at("stride"), 400.0);
}

TEST_F(PythonRules, rows_at_unequal_distances_are_seen_all_the_same) {
  const Rows rows{{1, 2}, {3, 4}, {5, 7}};
  const TestMatrix matrix(Comm::self(), rows);
  const std::vector<std::size_t> order{2, 0, 1};
  const ColumnMatrix mixed = matrix.columns().select(Comm::self(), order);
  const std::vector<Submission> submissions(3);
  for (const std::string extra : {"", "columnwise = True\n"}) {
    const auto own = make_rule(rule(extra + "def aggregate(updates): return updates[0] + 10 * updates[1]\n"));
    Stream random(5, StreamKey{Purpose::aggregation, nobody, {1}});
    const RuleOutput output = own->aggregate(
        {.comm = Comm::self(), .round = {1}, .submissions = submissions, .updates = mixed, .random = random});
    EXPECT_THAT(output.step.values(), ElementsAre(15.0F, 27.0F));
  }
}

TEST_F(PythonRules, coefficients_weigh_the_updates) {
  const Outcome outcome =
      run_rule(rule("def aggregate(): return {'coefficients': [2, 0, 2]}"), {.rows = {{1, 2}, {3, 4}, {5, 7}}});
  EXPECT_THAT(outcome.step, ElementsAre(12.0F, 18.0F));
  EXPECT_THAT(outcome.weights, ElementsAre(0.5, 0.0, 0.5));
}

TEST_F(PythonRules, answers_that_are_no_decision_are_refused) {
  EXPECT_THAT(refusal("def aggregate(): pass"), HasSubstr("aggregate answers None"));
  EXPECT_THAT(refusal("def aggregate(): return {'scores': [1, 2, 3]}"), HasSubstr("answers none of them"));
  EXPECT_THAT(refusal("def aggregate(): return {'step': [1, 2], 'coefficients': [1, 0, 0]}"),
              HasSubstr("not both a step and coefficients"));
  EXPECT_THAT(refusal("def aggregate(): return {'weights': [1, 1, 0]}"), HasSubstr("weights that add up to 2"));
  EXPECT_THAT(refusal("def aggregate(): return {'weights': [2, -1, 0]}"), HasSubstr("a negative weight, -1"));
  EXPECT_THAT(refusal("def aggregate(): return {'coefficients': [2, -1, 0]}"), HasSubstr("negative coefficients"));
  EXPECT_THAT(refusal("columnwise = True\ndef aggregate(state): pass"), HasSubstr("asks for 'state'"));
  EXPECT_THAT(
      refusal("columnwise = True\ndef aggregate(updates): return {'step': updates[0], 'diagnostics': {'a': 1}}"),
      HasSubstr("must answer the step and nothing else"));
}

TEST_F(PythonRules, errors_end_all_ranks_with_the_same_sentence) {
  const std::string text = rule("def aggregate(updates): raise ValueError('no')");
  for (const int ranks : {1, 3}) {
    std::vector<std::string> told(static_cast<std::size_t>(ranks));
    run_team(ranks, [&](const Comm& comm) {
      try {
        run_rule(*make_rule(text), comm, {.rows = random_rows(3, 5000)});
      } catch (const PhaseError& error) {
        told[static_cast<std::size_t>(comm.rank())] = error.what();
      }
    });
    for (const std::string& each : told) {
      EXPECT_THAT(each, HasSubstr("own.py:1: aggregate raised ValueError: no\nTraceback"));
      EXPECT_EQ(each, told.front());
    }
  }
}

TEST_F(PythonRules, without_a_file_are_refused) {
  EXPECT_THAT(
      [] {
        try {
          make_rule("python {}")->check({.updates = 3});
        } catch (const InputError& error) {
          return std::string(error.what());
        }
        return std::string();
      }(),
      HasSubstr("aggregator.python.file: is empty"));
  EXPECT_THROW(make_rule("python { file: \"/nowhere.py\" }"), InputError);
}

TEST_F(PythonRules, states_are_saved_with_the_run) {
  const std::string text = rule(
      "def aggregate(updates, state):\n"
      "  state['sum'] = state.get('sum', 0) + updates.sum(axis=0)\n"
      "  return state['sum']\n");
  const RuleRound round{.rows = random_rows(3, 5000)};
  const auto unbroken = make_rule(text);
  run_rule(*unbroken, Comm::self(), round);
  SaveArchive save;
  unbroken->serialize(save, Comm::self());
  const Outcome expected = run_rule(*unbroken, Comm::self(), round);
  run_team(3, [&](const Comm& comm) {
    const auto resumed = make_rule(text);
    LoadArchive load(save.bytes());
    resumed->serialize(load, comm);
    EXPECT_EQ(run_rule(*resumed, comm, round), expected);
    SaveArchive again(Portion::own);
    resumed->serialize(again, comm);
    LoadArchive own(again.bytes(), Portion::own);
    resumed->serialize(own, comm);
    run_rule(*resumed, comm, round);
  });
}

}  // namespace
}  // namespace souk::python_test
