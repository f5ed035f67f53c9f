#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/rule_world.hpp"

namespace souk::auror_test {
namespace {

using testing::Each;
using testing::ElementsAre;

Outcome run(Aggregator& rule, const Rows& rows, const std::vector<std::uint32_t>& agents = {}) {
  return run_rule(rule, Comm::self(), {.rows = rows, .agents = agents});
}

TEST(Auror, excludes_who_is_in_the_minority_of_most_indicative_parameters) {
  // Columns: 1 and 2 set client 4 apart, 3 sets client 1 apart, 4 splits 2 to 2 + 1 below alpha, 5 is equal for all.
  const Rows rows{
      {0, 1, 5, 0.5F, 7}, {0, 1, 9, 0.5F, 7}, {0.1F, 1, 5, 0.6F, 7}, {0, 1.1F, 5, 0.6F, 7}, {1, 0, 5, 0.6F, 7}};

  const Outcome outcome = run_rule("auror { alpha: 0.2 }", {.rows = rows});

  EXPECT_EQ(outcome.diagnostics.at("indicative_parameters"), 3.0);
  EXPECT_THAT(outcome.weights, ElementsAre(0.25, 0.25, 0.25, 0.25, 0.0));
  EXPECT_THAT(outcome.scores, ElementsAre(1.0, testing::DoubleEq(2.0 / 3.0), 1.0, 1.0, testing::DoubleEq(1.0 / 3.0)));
  expect_near(outcome.step, mean_of_rows(rows, {0, 1, 2, 3}), 1e-6);
}

TEST(Auror, has_no_minority_in_halves) {
  const Outcome outcome = run_rule("auror {}", {.rows = {{0, 0}, {0, 0}, {1, 1}, {1, 1}}});

  EXPECT_EQ(outcome.diagnostics.at("indicative_parameters"), 2.0);
  EXPECT_THAT(outcome.weights, Each(0.25));
}

TEST(Auror, asks_for_more_than_alpha_between_the_centres_and_more_than_tau_of_the_parameters) {
  const Rows rows{{0, 0}, {0, 0}, {0.5F, 0}, {0, 1}};

  EXPECT_THAT(run_rule("auror { alpha: 0.5 tau: 0 }", {.rows = rows}).weights,
              ElementsAre(1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 0.0));
  EXPECT_THAT(run_rule("auror { alpha: 0.4 tau: 0.5 }", {.rows = rows}).weights, Each(0.25));
  EXPECT_THAT(run_rule("auror { alpha: 0.4 tau: 0.49 }", {.rows = rows}).weights, ElementsAre(0.5, 0.5, 0.0, 0.0));
}

TEST(Auror, adds_up_the_observed_rounds_and_keeps_the_verdict) {
  const auto rule = make_rule("auror { observed_rounds: 2 }");
  const Rows odd{{0, 0}, {0, 0}, {1, 1}};
  const Rows alike(3, {1, 1});
  // Client 30 is in the minority of 2 of 2 parameters, then of none of 1 (client 10 is in that one): 2 of 3.
  EXPECT_THAT(run(*rule, odd, {10, 20, 30}).weights, ElementsAre(0.5, 0.5, 0.0));
  EXPECT_THAT(run(*rule, {{1, 0}, {0, 0}, {0, 0}}, {10, 20, 30}).weights, ElementsAre(0.0, 1.0, 0.0))
      << "the round convicts 10, both rounds together 30";
  // Observation is over: 30 stays out, 10 with 1 of 3 is back, whatever they send; 40 was never seen.
  EXPECT_THAT(run(*rule, alike, {10, 30, 40}).weights, ElementsAre(0.5, 0.0, 0.5));
  EXPECT_THAT(run(*rule, odd, {10, 20, 40}).weights, Each(1.0 / 3.0));
}

TEST(Auror, accepts_nobody_where_everybody_is_convicted) {
  const auto rule = make_rule("auror { observed_rounds: 1 }");
  run(*rule, {{0, 0}, {0, 0}, {1, 1}}, {10, 20, 30});

  const Outcome outcome = run(*rule, {{5, 5}}, {30});

  EXPECT_THAT(outcome.weights, ElementsAre(0.0));
  EXPECT_THAT(outcome.step, ElementsAre(0.0F, 0.0F));
}

TEST(Auror, finds_attackers_who_move_the_same_parameters) {
  Rows rows = random_rows(20, 2003, 0.001);
  for (std::size_t i = 2; i < 20; i += 3) {
    for (std::size_t c = 7; c < 2003; c += 10) rows[i][c] += c % 20 == 7 ? 0.05F : -0.05F;
  }
  const Outcome outcome = run_rule("auror {}", {.rows = rows});

  EXPECT_EQ(outcome.diagnostics.at("indicative_parameters"), 200.0);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(outcome.weights[i] == 0.0, i % 3 == 2) << i;
}

}  // namespace
}  // namespace souk::auror_test
