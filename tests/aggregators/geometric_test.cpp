// Rules that move a centre among the updates, against the iteration on whole vectors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/archive.hpp"
#include "tests/support/brute_force.hpp"
#include "tests/support/rule_world.hpp"

namespace souk::geometric_test {
namespace {

using brute_force::Vector;
using brute_force::Vectors;
using testing::ElementsAre;

constexpr std::size_t d = 37;

Vector weiszfeld(const Vectors& rows, const Vector& importance, std::size_t iterations, double nu) {
  Vector v = brute_force::combination(rows, importance);
  for (std::size_t l = 0; l < iterations; ++l) {
    Vector weights;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      weights.push_back(importance[i] / std::max(nu, brute_force::distance(rows[i], v)));
    }
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    v = brute_force::scaled(brute_force::combination(rows, weights), 1.0 / sum);
  }
  return v;
}

TEST(GeometricMedian, iterates_as_weiszfelds_algorithm_does_on_whole_vectors) {
  for (std::size_t n = 3; n <= 40; ++n) {
    Rows rows = random_rows(n, d);
    rows.back().assign(d, 30.0F);
    std::vector<std::uint64_t> samples;
    Vector shares;
    for (std::size_t i = 0; i < n; ++i) {
      samples.push_back(10 + i % 3);
      shares.push_back(static_cast<double>(samples.back()));
    }
    shares = brute_force::scaled(shares, 1.0 / std::accumulate(shares.begin(), shares.end(), 0.0));
    const Vector alike(n, 1.0 / static_cast<double>(n));
    const Vectors vectors = brute_force::of(rows);
    for (const std::size_t iterations : {1U, 3U, 50U}) {
      const std::string settings = "tolerance: 0 iterations: " + std::to_string(iterations);

      brute_force::expect_close(run_rule("geometric_median { " + settings + " }", {.rows = rows}).step,
                                weiszfeld(vectors, alike, iterations, 1e-6), 1e-5);
      brute_force::expect_close(run_rule("geometric_median { weighting: BY_SAMPLES nu: 0.1 " + settings + " }",
                                         {.rows = rows, .samples = samples})
                                    .step,
                                weiszfeld(vectors, shares, iterations, 0.1), 1e-5);
    }
  }
}

TEST(GeometricMedian, satisfies_the_optimality_condition) {
  for (const std::size_t n : {5U, 12U, 33U}) {
    const Rows rows = random_rows(n, d);
    const Outcome outcome = run_rule("geometric_median { iterations: 10000 tolerance: 0 }", {.rows = rows});
    const Vector v(outcome.step.begin(), outcome.step.end());
    Vector pull(d, 0.0);  // sum of the unit vectors towards the updates
    double objective = 0.0;
    for (const Vector& row : brute_force::of(rows)) {
      const double distance = brute_force::distance(row, v);
      objective += distance / static_cast<double>(n);
      for (std::size_t c = 0; c < d; ++c) pull[c] += (row[c] - v[c]) / distance;
    }

    EXPECT_LT(brute_force::norm(pull), 1e-5 * static_cast<double>(n));
    EXPECT_NEAR(outcome.diagnostics.at("objective"), objective, 1e-6 * objective);
  }
}

TEST(GeometricMedian, of_collinear_points_is_their_median) {
  EXPECT_NEAR(run_rule("geometric_median { iterations: 10000 }", {.rows = {{0}, {1}, {2}, {10}, {100}}}).step[0], 2.0,
              1e-3);
}

TEST(GeometricMedian, stops_when_nothing_improves) {
  const Rows rows = random_rows(10, d);

  EXPECT_LT(run_rule("geometric_median {}", {.rows = rows}).diagnostics.at("iterations"), 50.0);
  EXPECT_EQ(run_rule("geometric_median { iterations: 7 tolerance: 0 }", {.rows = rows}).diagnostics.at("iterations"),
            7.0);
}

TEST(GeometricMedian, feels_of_a_distant_update_only_its_direction) {
  const Rows honest = random_rows(9, d);
  const auto with_outliers = [&](float distance) {
    Rows rows = honest;
    for (const std::size_t place : {2U, 5U, 9U}) {
      rows.insert(rows.begin() + static_cast<std::ptrdiff_t>(place), std::vector<float>(d, distance));
    }
    return run_rule("geometric_median {}", {.rows = rows}).step;
  };
  const std::vector<float> expected = with_outliers(1e5F);

  for (const float distance : {1e6F, 1e9F, 1e12F, 1e20F, 1e30F, 3e37F}) {
    const std::vector<float> step = with_outliers(distance);
    for (std::size_t c = 0; c < d; ++c) ASSERT_NEAR(step[c], expected[c], 1e-3) << distance;
  }
}

Vector centered_clipping(const Vectors& rows, Vector v, double tau, std::size_t iterations) {
  for (std::size_t l = 0; l < iterations; ++l) {
    Vectors moves;
    for (const Vector& row : rows) moves.push_back(brute_force::clipped(brute_force::minus(row, v), tau));
    v = brute_force::minus(v, brute_force::scaled(brute_force::mean(moves), -1.0));
  }
  return v;
}

TEST(CenteredClipping, moves_as_on_whole_vectors_round_after_round) {
  for (std::size_t n = 3; n <= 40; n += 4) {
    for (const std::size_t iterations : {1U, 2U, 5U}) {
      for (const double tau : {1.0, 5.0, 100.0}) {
        const auto rule = make_rule("centered_clipping { tau: " + std::to_string(tau) +
                                    " iterations: " + std::to_string(iterations) + " }");
        Vector v(d, 0.0);
        for (std::uint32_t round = 1; round <= 4; ++round) {
          Rows rows = random_rows(n, d, round);
          rows.front().assign(d, -50.0F);
          v = centered_clipping(brute_force::of(rows), v, tau, iterations);

          brute_force::expect_close(run_rule(*rule, Comm::self(), {.rows = rows, .round = round}).step, v, 1e-5);
        }
      }
    }
  }
}

TEST(CenteredClipping, works_out_a_case_by_hand) {
  const auto rule = make_rule("centered_clipping { tau: 1 }");

  EXPECT_THAT(run_rule(*rule, Comm::self(), {.rows = {{3, 4}, {0.5F, 0}}}).step, ElementsAre(0.55F, 0.4F));
  EXPECT_THAT(run_rule(*rule, Comm::self(), {.rows = {{0.55F, 0.4F}, {0.55F, -5.6F}}}).step,
              ElementsAre(0.55F, testing::FloatNear(-0.1F, 1e-6F)));
}

TEST(CenteredClipping, is_moved_by_at_most_tau_for_each_distant_update) {
  for (const float distance : {1e6F, 1e12F, 1e30F, 3e37F}) {
    Rows rows = random_rows(10, d);
    for (const std::size_t outlier : {3U, 8U}) rows[outlier].assign(d, distance);
    const Outcome outcome = run_rule("centered_clipping { tau: 10 iterations: 4 }", {.rows = rows});

    brute_force::expect_close(outcome.step, centered_clipping(brute_force::of(rows), Vector(d, 0.0), 10.0, 4), 1e-4);
  }
}

TEST(Monna, averages_those_nearest_to_the_pivot) {
  for (std::size_t n = 3; n <= 40; ++n) {
    const Rows rows = random_rows(n, d);
    const Vectors vectors = brute_force::of(rows);
    for (const std::size_t f : {std::size_t{0}, std::size_t{1}, (n - 1) / 2}) {
      for (const std::size_t pivot : {std::size_t{0}, n / 2, std::size_t{1000}}) {
        const Vector& trusted = vectors[std::min(pivot, n - 1)];
        const auto chosen = brute_force::lowest(brute_force::everybody(n), n - f, [&](std::size_t i) {
          return brute_force::distance(vectors[i], trusted);
        });
        const Outcome outcome =
            run_rule("monna { pivot: " + std::to_string(pivot) + " }", {.rows = rows, .tolerated_f = f});

        brute_force::expect_close(outcome.step, brute_force::mean(brute_force::some(vectors, chosen)));
        brute_force::expect_close(outcome.weights, brute_force::shares(chosen, n), 1e-12);
      }
    }
  }
}

TEST(Monna, gives_ties_to_the_smallest_id) {
  EXPECT_THAT(run_rule("monna { f: 1 pivot: 1 }", {.rows = {{1}, {0}, {-1}}}).weights, ElementsAre(0.5, 0.5, 0.0));
}

}  // namespace
}  // namespace souk::geometric_test
