// Rules that compare with the server's own update, against their definitions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/brute_force.hpp"
#include "tests/support/rule_world.hpp"

namespace souk::trust_test {
namespace {

using brute_force::Vector;
using brute_force::Vectors;
using testing::DoubleEq;
using testing::Each;
using testing::ElementsAre;

constexpr std::size_t d = 37;

/// Some rows near the root, some opposite, some of no length, some random; lengths differ.
Rows rows_about(const std::vector<float>& root, std::size_t n) {
  Rows rows = random_rows(n, d);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t c = 0; c < d; ++c) {
      if (i % 4 == 0) rows[i][c] = static_cast<float>(i + 1) * (root[c] + rows[i][c]);
      if (i % 4 == 1) rows[i][c] -= 2.0F * root[c];
    }
  }
  if (n > 6) rows[6].assign(d, 0.0F);
  return rows;
}

std::vector<float> root_of(std::size_t n) { return random_rows(n + 1, d).back(); }

TEST(FlTrust, weighs_by_positive_cosines_and_scales_to_the_root) {
  for (std::size_t n = 3; n <= 40; ++n) {
    const std::vector<float> root = root_of(n);
    const Vector g(root.begin(), root.end());
    const Rows rows = rows_about(root, n);
    const Vectors vectors = brute_force::of(rows);
    Vector trust;
    Vectors scaled;
    for (const Vector& row : vectors) {
      const double norm = brute_force::norm(row);
      trust.push_back(norm == 0.0 ? 0.0 : std::max(0.0, brute_force::dot(row, g) / (norm * brute_force::norm(g))));
      scaled.push_back(norm == 0.0 ? row : brute_force::scaled(row, brute_force::norm(g) / norm));
    }
    const Vector weights = brute_force::scaled(trust, 1.0 / std::accumulate(trust.begin(), trust.end(), 0.0));
    const Outcome outcome = run_rule("fltrust {}", {.rows = rows, .root_update = root});

    brute_force::expect_close(outcome.step, brute_force::combination(scaled, weights));
    brute_force::expect_close(outcome.weights, weights, 1e-9);
    brute_force::expect_close(outcome.scores, trust, 1e-9);
  }
}

TEST(FlTrust, works_out_a_case_by_hand) {
  // Cosines 1, 0.6, -1; all scaled to length 2: (2, 0) and (1.2, 1.6), weights 0.625 and 0.375.
  const Outcome outcome = run_rule("fltrust {}", {.rows = {{7, 0}, {3, 4}, {-1, 0}}, .root_update = {2, 0}});

  EXPECT_THAT(outcome.weights, ElementsAre(DoubleEq(0.625), DoubleEq(0.375), 0.0));
  EXPECT_THAT(outcome.step, ElementsAre(testing::FloatEq(1.7F), testing::FloatEq(0.6F)));
}

/// Of updates at right angles to the root and at half of one, scores are noise cut at 0, and 1/2 more.
TEST(FlTrust, noise_on_cosines_has_its_deviation) {
  const double sigma = 0.05, half = std::sqrt(3.0) / 2.0;
  std::vector<std::vector<float>> rows;
  for (int k = 0; k < 4000; ++k) rows.push_back({0.5F, static_cast<float>(half)});
  const Outcome outcome = run_rule("fltrust { score_noise: 0.05 }", {.rows = rows, .root_update = {2, 0}});
  double sum = 0.0, squares = 0.0;
  for (const double score : outcome.scores) sum += score - 0.5, squares += (score - 0.5) * (score - 0.5);
  EXPECT_NEAR(sum / 4000.0, 0.0, 4.0 * sigma / std::sqrt(4000.0));
  EXPECT_NEAR(std::sqrt(squares / 4000.0), sigma, 4.0 * sigma / std::sqrt(8000.0));
}

TEST(FlTrust, keeps_the_model_where_nobody_is_trusted) {
  for (const std::vector<float>& root : {std::vector<float>{1, 1}, std::vector<float>{0, 0}}) {
    const Outcome outcome = run_rule("fltrust {}", {.rows = {{-1, -2}, {1, -1}, {0, 0}}, .root_update = root});

    EXPECT_THAT(outcome.step, Each(0.0F));
    EXPECT_THAT(outcome.weights, Each(0.0));
  }
}

TEST(FlTrust, takes_of_huge_and_tiny_updates_their_direction) {
  const RuleRound plain{.rows = {{3, 4}, {4, 3}, {5, 0}}, .root_update = {1, 1}};
  RuleRound extreme = plain;
  extreme.rows[0] = {3e30F, 4e30F};
  extreme.rows[1] = {4e-30F, 3e-30F};

  expect_near(run_rule("fltrust {}", extreme).step, run_rule("fltrust {}", plain).step, 1e-6);
}

TEST(ZenoPp, averages_the_rescaled_updates_that_seem_to_lower_the_loss) {
  for (std::size_t n = 3; n <= 40; ++n) {
    const std::vector<float> root = root_of(n);
    const Vector v(root.begin(), root.end());
    const Rows rows = rows_about(root, n);
    const double gamma = 0.5, rho = 0.05, epsilon = 1.0;
    Vector scores;
    Vectors accepted;
    std::vector<std::size_t> who;
    for (std::size_t i = 0; i < n; ++i) {
      const Vector row = brute_force::of(rows)[i];
      const double norm = brute_force::norm(row);
      const Vector y = norm == 0.0 ? row : brute_force::scaled(row, brute_force::norm(v) / norm);
      scores.push_back(gamma * brute_force::dot(v, y) - rho * brute_force::dot(y, y));
      if (scores.back() < -gamma * epsilon) continue;
      accepted.push_back(y);
      who.push_back(i);
    }
    const Outcome outcome =
        run_rule("zeno_pp { gamma: 0.5 rho: 0.05 epsilon: 1 }", {.rows = rows, .root_update = root});

    brute_force::expect_close(outcome.scores, scores, 1e-4);
    brute_force::expect_close(outcome.weights, brute_force::shares(who, n), 1e-12);
    brute_force::expect_close(outcome.step, brute_force::mean(accepted));
    EXPECT_LT(accepted.size(), n);
  }
}

TEST(ZenoPp, keeps_its_reference_for_as_many_rounds_as_told) {
  const auto rule = make_rule("zeno_pp { refresh: 2 epsilon: 0.01 }");
  const auto step_with_root = [&](std::uint32_t round, float root) {
    return run_rule(*rule, Comm::self(), {.rows = {{5}, {-5}}, .round = round, .root_update = {root}}).step[0];
  };

  EXPECT_FLOAT_EQ(step_with_root(1, 1.0F), 1.0F);
  EXPECT_FLOAT_EQ(step_with_root(2, -1.0F), 1.0F);
  EXPECT_FLOAT_EQ(step_with_root(3, -1.0F), -1.0F);
}

TEST(ZenoPp, keeps_the_model_where_nobody_is_accepted) {
  const Outcome outcome = run_rule("zeno_pp { epsilon: 0.01 }", {.rows = {{-1}, {-2}}, .root_update = {1}});

  EXPECT_THAT(outcome.step, ElementsAre(0.0F));
  EXPECT_THAT(outcome.weights, Each(0.0));
}

}  // namespace
}  // namespace souk::trust_test
