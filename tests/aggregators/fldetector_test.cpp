#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/rule_world.hpp"

namespace souk::fldetector_test {
namespace {

constexpr std::size_t clients = 10, dimension = 60;
const std::vector<std::size_t> liars{1, 6, 8};

bool lies(std::size_t client) { return std::find(liars.begin(), liars.end(), client) != liars.end(); }

/// Gradient descent on |w - t_i|^2 / 2: an update is a linear function of the model, so that a Hessian predicts it.
/// Liars send noise of the same length.
RuleRound round_at(const std::vector<float>& model, std::uint32_t number) {
  const Rows targets = random_rows(clients, dimension);
  RuleRound round{.rows = Rows(clients, std::vector<float>(dimension)), .round = number};
  round.global = model;
  for (std::uint32_t i = 0; i < clients; ++i) {
    Stream noise(3, StreamKey{Purpose::update_attack, {i}, {number}});
    for (std::size_t c = 0; c < dimension; ++c) {
      round.rows[i][c] = lies(i) ? static_cast<float>(0.2 * noise.normal()) : 0.2F * (targets[i][c] - model[c]);
    }
  }
  return round;
}

/// Rounds until the rule asks for a restart, or `most`; the last outcome.
Outcome run_rounds(Aggregator& rule, std::uint32_t most, std::vector<float>& model, std::uint32_t& done) {
  Outcome outcome;
  for (done = 1; done <= most; ++done) {
    outcome = run_rule(rule, Comm::self(), round_at(model, done));
    if (outcome.restart) break;
    for (std::size_t c = 0; c < dimension; ++c) model[c] += outcome.step[c];
  }
  return outcome;
}

TEST(FlDetector, excludes_the_clients_it_cannot_predict_and_asks_for_a_restart_once) {
  const auto rule = make_rule("fldetector { start_round: 12 }");
  std::vector<float> model(dimension, 3.0F);
  std::uint32_t done = 0;
  const Outcome found = run_rounds(*rule, 30, model, done);
  EXPECT_TRUE(found.restart);
  EXPECT_EQ(done, 12U);
  for (std::size_t i = 0; i < clients; ++i) EXPECT_EQ(found.weights[i] > 0.0, !lies(i)) << i;

  model.assign(dimension, 3.0F);
  const Outcome later = run_rounds(*rule, 11, model, done);
  EXPECT_FALSE(later.restart);
  EXPECT_EQ(later.diagnostics.at("detected"), 3.0);
}

TEST(FlDetector, goes_on_without_a_restart_when_told_to_and_leaves_honest_clients_alone) {
  const auto rule = make_rule("fldetector { start_round: 12 restart: false }");
  std::vector<float> model(dimension, 3.0F);
  std::uint32_t done = 0;
  const Outcome outcome = run_rounds(*rule, 14, model, done);
  EXPECT_FALSE(outcome.restart);
  EXPECT_EQ(outcome.diagnostics.at("detected"), 3.0);
  for (const std::size_t liar : liars) EXPECT_LT(outcome.scores[liar], outcome.scores[0]);
}

}  // namespace
}  // namespace souk::fldetector_test
