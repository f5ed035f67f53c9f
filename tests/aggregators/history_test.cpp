// FoolsGold against its algorithm on whole histories.
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/brute_force.hpp"
#include "tests/support/rule_world.hpp"

namespace souk::history_test {
namespace {

using brute_force::Vector;
using brute_force::Vectors;

/// Algorithm 1 of Fung et al., cosines below 0 taken as 0 as in the authors' code.
Vector foolsgold(const Vectors& histories, double confidence) {
  const std::size_t n = histories.size();
  Vectors similar(n, Vector(n, 0.0));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      const double norms = brute_force::norm(histories[i]) * brute_force::norm(histories[j]);
      if (i != j && norms > 0.0) similar[i][j] = brute_force::dot(histories[i], histories[j]) / norms;
    }
  }
  Vector most(n, 0.0), alphas(n);
  for (std::size_t i = 0; i < n; ++i) most[i] = *std::max_element(similar[i].begin(), similar[i].end());
  for (std::size_t i = 0; i < n; ++i) {
    double worst = 0.0;
    for (std::size_t j = 0; j < n; ++j) {
      worst = std::max(worst, most[j] > most[i] ? similar[i][j] * most[i] / most[j] : similar[i][j]);
    }
    alphas[i] = std::min(1.0, std::max(0.0, 1.0 - worst));
  }
  const double top = *std::max_element(alphas.begin(), alphas.end());
  for (double& alpha : alphas) {
    alpha = std::min(0.99, top > 0.0 ? alpha / top : 0.0);
    alpha = std::min(1.0, std::max(0.0, confidence * (std::log(alpha / (1.0 - alpha) + 1e-5) + 0.5)));
  }
  return alphas;
}

/// Clients with something in common and much of their own; the first two are Sybils.
Rows clients(std::size_t n, std::size_t d, std::uint32_t round) {
  const std::vector<float> common = random_rows(101, d).back(), goal = random_rows(102, d).back();
  Rows rows;
  for (std::uint32_t i = 0; i < n; ++i) {
    Stream random(round, StreamKey{Purpose::update_attack, {i}, {round}});
    std::vector<float> row(d);
    for (std::size_t c = 0; c < d; ++c) {
      row[c] = (i < 2 ? 2.0F * goal[c] : 0.7F * common[c]) + static_cast<float>(random.normal());
    }
    rows.push_back(row);
  }
  return rows;
}

void expect_algorithm(const std::string& rule_text, std::size_t d, std::size_t first_compared, double divisor,
                      double confidence) {
  const auto rule = make_rule(rule_text);
  std::map<std::uint32_t, Vector> histories;
  for (std::uint32_t round = 1; round <= 4; ++round) {
    std::vector<std::uint32_t> agents;  // another dozen of twenty clients in every round
    for (std::uint32_t agent = round % 2; agents.size() < 12; agent += 1 + agent % 2 * (round % 3)) {
      agents.push_back(agent);
    }
    const Rows rows = clients(12, d, round);
    Vectors compared;
    for (std::size_t i = 0; i < agents.size(); ++i) {
      Vector& history = histories.try_emplace(agents[i], Vector(d, 0.0)).first->second;
      for (std::size_t c = first_compared; c < d; ++c) history[c] += static_cast<double>(rows[i][c]);
      compared.push_back(history);
    }
    const Vector alphas = foolsgold(compared, confidence);
    const double sum = std::accumulate(alphas.begin(), alphas.end(), 0.0);
    const Outcome outcome = run_rule(*rule, Comm::self(), {.rows = rows, .round = round, .agents = agents});

    brute_force::expect_close(outcome.scores, alphas, 1e-4);
    brute_force::expect_close(outcome.weights, brute_force::scaled(alphas, 1.0 / sum), 1e-4);
    brute_force::expect_close(
        outcome.step, brute_force::combination(brute_force::of(rows), brute_force::scaled(alphas, 1.0 / divisor)),
        1e-4);
  }
}

TEST(FoolsGold, follows_the_algorithm_over_rounds_with_changing_clients) {
  expect_algorithm("foolsgold {}", 40, 0, 12.0, 1.0);
  expect_algorithm("foolsgold { variant: PAPER confidence: 0.3 }", 40, 0, 1.0, 0.3);
  expect_algorithm("foolsgold { features: LAST_LAYER }", 40, 16, 12.0, 1.0);  // the last layer is the last 24 of 40
}

TEST(FoolsGold, rejects_sybils) {
  Rows rows = random_rows(8, 300);
  rows[3] = rows[6];
  const Outcome outcome = run_rule("foolsgold {}", {.rows = rows});

  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(outcome.weights[i] > 0.0, i != 3 && i != 6) << i;
}

TEST(FoolsGold, does_not_punish_a_client_that_is_unlike_all_others) {
  const Outcome outcome = run_rule("foolsgold {}", {.rows = {{1, 0.5F, 0}, {1, -0.5F, 0.2F}, {-1, 0, 0.1F}}});

  EXPECT_EQ(outcome.scores[2], 1.0);
}

}  // namespace
}  // namespace souk::history_test
