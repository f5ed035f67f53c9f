// Rules that bound norms or add noise, against their definitions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/comm/thread_team.hpp"
#include "tests/support/brute_force.hpp"
#include "tests/support/rule_world.hpp"

namespace souk::norms_test {
namespace {

using brute_force::Vector;
using brute_force::Vectors;
using testing::ElementsAre;

constexpr std::size_t d = 37;

TEST(Cge, averages_the_shortest) {
  for (std::size_t n = 3; n <= 40; ++n) {
    const Rows rows = random_rows(n, d);
    const Vectors vectors = brute_force::of(rows);
    for (const std::size_t f : {std::size_t{0}, std::size_t{1}, (n - 1) / 2}) {
      const auto chosen = brute_force::lowest(brute_force::everybody(n), n - f,
                                              [&](std::size_t i) { return brute_force::norm(vectors[i]); });
      const Outcome outcome = run_rule("cge {}", {.rows = rows, .tolerated_f = f});

      brute_force::expect_close(outcome.step, brute_force::mean(brute_force::some(vectors, chosen)));
      brute_force::expect_close(outcome.weights, brute_force::shares(chosen, n), 1e-12);
    }
  }
}

TEST(Cge, gives_ties_to_the_smallest_id) {
  EXPECT_THAT(run_rule("cge { f: 1 }", {.rows = {{0, 5}, {3, -4}, {5, 0}}}).weights, ElementsAre(0.5, 0.5, 0.0));
}

TEST(NormClipping, averages_what_is_left_within_the_bound) {
  for (std::size_t n = 3; n <= 40; ++n) {
    Rows rows = random_rows(n, d);
    for (float& value : rows.front()) value *= 0.1F;  // shorter than the bound
    Vectors clipped;
    for (const Vector& row : brute_force::of(rows)) clipped.push_back(brute_force::clipped(row, 3.0));
    const Outcome outcome = run_rule("norm_clipping { bound: 3 }", {.rows = rows});

    brute_force::expect_close(outcome.step, brute_force::mean(clipped));
    EXPECT_THAT(outcome.weights, testing::Each(testing::DoubleEq(1.0 / static_cast<double>(n))));
  }
}

TEST(NormClipping, bounds_what_a_huge_update_does) {
  EXPECT_THAT(run_rule("norm_clipping { bound: 5 }", {.rows = {{0, 0}, {3e37F, 4e37F}}}).step,
              ElementsAre(testing::FloatEq(1.5F), testing::FloatEq(2.0F)));
}

struct Moments {
  double mean = 0.0, variance = 0.0, kurtosis = 0.0, neighbours = 0.0;  ///< the last: correlation of adjacent columns
};

Moments moments_of(const std::vector<float>& step, const std::vector<float>& without) {
  std::vector<double> noise;
  for (std::size_t c = 0; c < step.size(); ++c) {
    noise.push_back(static_cast<double>(step[c]) - static_cast<double>(without[c]));
  }
  const auto n = static_cast<double>(noise.size());
  Moments moments;
  for (const double value : noise) moments.mean += value / n;
  for (std::size_t c = 0; c < noise.size(); ++c) {
    const double centred = noise[c] - moments.mean;
    moments.variance += centred * centred / n;
    moments.kurtosis += centred * centred * centred * centred / n;
    if (c > 0) moments.neighbours += centred * (noise[c - 1] - moments.mean) / n;
  }
  moments.kurtosis /= moments.variance * moments.variance;
  moments.neighbours /= moments.variance;
  return moments;
}

constexpr std::size_t many = 200'000;  // the standard error of a mean is sigma / 447, of a variance sigma^2 / 316

void expect_normal(const Moments& moments, double sigma) {
  EXPECT_NEAR(moments.mean, 0.0, 5.0 * sigma / 447.0);
  EXPECT_NEAR(moments.variance, sigma * sigma, 5.0 * sigma * sigma / 316.0);
  EXPECT_NEAR(moments.kurtosis, 3.0, 0.1);
  EXPECT_NEAR(moments.neighbours, 0.0, 5.0 / 447.0);
}

TEST(WeakDp, adds_normal_noise_to_norm_clipping) {
  const RuleRound round{.rows = random_rows(4, many)};
  const Outcome noisy = run_rule("weak_dp { bound: 2 sigma: 0.5 }", round);
  const Outcome plain = run_rule("norm_clipping { bound: 2 }", round);

  expect_normal(moments_of(noisy.step, plain.step), 0.5);
  EXPECT_EQ(noisy.weights, plain.weights);
  EXPECT_EQ(run_rule("weak_dp { bound: 2 sigma: 0 }", round).step, plain.step);
}

TEST(WeakDp, draws_anew_every_round) {
  RuleRound round{.rows = random_rows(4, d)};
  const Outcome first = run_rule("weak_dp {}", round);
  round.round = 2;

  EXPECT_NE(run_rule("weak_dp {}", round).step, first.step);
}

TEST(Crfl, clips_the_parameters_after_the_step) {
  for (std::size_t n = 3; n <= 40; ++n) {
    const Rows rows = random_rows(n, d);
    const std::vector<float> global = random_rows(n + 1, d).back();
    std::vector<std::uint64_t> samples;
    Vector shares;
    for (std::size_t i = 0; i < n; ++i) {
      samples.push_back(1 + i);
      shares.push_back(static_cast<double>((1 + i) * 2) / static_cast<double>(n * (n + 1)));
    }
    const Vector start(global.begin(), global.end());
    const Vector moved =
        brute_force::minus(start, brute_force::scaled(brute_force::combination(brute_force::of(rows), shares), -1.0));
    for (const double rho : {0.5, 3.0, 100.0}) {
      const Outcome outcome = run_rule("crfl { sigma: 0 rho_start: 1000 rho: " + std::to_string(rho) + " }",
                                       {.rows = rows, .samples = samples, .global = global});

      brute_force::expect_close(outcome.step, brute_force::minus(brute_force::clipped(moved, rho), start));
      EXPECT_NEAR(outcome.diagnostics.at("parameter_norm"), brute_force::norm(moved), 1e-5);
    }
  }
}

TEST(Crfl, lets_the_parameters_grow_from_round_to_round_as_the_authors_do) {
  // MNIST: min(15, 0.1 t + 2), so 3 in round 10 and 15 from round 130 on.
  const auto norm_in = [](std::uint32_t round, const std::string& settings) {
    const std::vector<float> step =
        run_rule("crfl { sigma: 0 " + settings + " }", {.rows = {{300, 400}}, .round = round}).step;
    return std::hypot(step[0], step[1]);
  };
  EXPECT_NEAR(norm_in(10, ""), 3.0, 1e-5);
  EXPECT_NEAR(norm_in(129, ""), 14.9, 1e-4);
  EXPECT_NEAR(norm_in(131, ""), 15.0, 1e-4);
  EXPECT_NEAR(norm_in(10, "rho: 100 rho_growth: 0.25 rho_start: 4"), 6.5, 1e-5) << "EMNIST";
}

TEST(Crfl, smooths_the_parameters_by_normal_noise) {
  const RuleRound round{.rows = random_rows(3, many)};

  expect_normal(moments_of(run_rule("crfl { sigma: 0.25 }", round).step, run_rule("crfl { sigma: 0 }", round).step),
                0.25);
}

TEST(Noise, is_the_same_on_any_number_of_ranks) {
  const RuleRound round{.rows = random_rows(5, 3001)};
  for (const char* rule : {"weak_dp { sigma: 1 }", "crfl { sigma: 1 }"}) {
    const Outcome expected = run_rule(rule, round);
    for (const int ranks : {2, 3, 7}) {
      run_team(ranks, [&](const Comm& comm) { EXPECT_EQ(run_rule(*make_rule(rule), comm, round), expected); });
    }
  }
}

}  // namespace
}  // namespace souk::norms_test
