#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.hpp"
#include "tests/support/rule_world.hpp"

namespace souk {
namespace {

using testing::Each;
using testing::ElementsAre;

constexpr double third = 1.0 / 3.0;

Rows scaled(Rows rows, const std::vector<float>& factors) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (float& value : rows[i]) value *= factors[i];
  }
  return rows;
}

TEST(SignGuard, drops_lengths_outside_the_band_and_clips_the_others_to_the_median) {
  // Norms 5 times 0.09, 0.5, 1, 2, 3.5: the median is 5.
  const Rows rows = scaled(Rows(5, {3, -4}), {0.09F, 0.5F, 1, 2, 3.5F});

  const Outcome outcome = run_rule("signguard { coordinates: 1 }", {.rows = rows});

  EXPECT_THAT(outcome.weights, ElementsAre(0.0, third, third, third, 0.0));
  expect_near(outcome.step, {3.0F * 2.5F / 3.0F, -4.0F * 2.5F / 3.0F}, 1e-6);
  EXPECT_EQ(outcome.diagnostics.at("clipping_norm"), 5.0);
}

TEST(SignGuard, keeps_lengths_on_the_edge_of_the_band) {
  const Rows rows = scaled(Rows(3, {4, 0}), {0.5F, 1, 2});

  EXPECT_THAT(run_rule("signguard { lower: 0.5 upper: 2 }", {.rows = rows}).weights, Each(third));
}

TEST(SignGuard, drops_updates_whose_signs_are_distributed_otherwise) {
  // Shares of (+, 0, -): (1/2, 0, 1/2) for the honest, (1, 0, 0) and (0, 1/4, 3/4) for the others; lengths alike.
  const Rows rows{{1, -1, 1, -1}, {1, 1, 1, 1},   {-1, -1, 1, 1},        {1, -1, -1, 1},
                  {1, 1, 1, 1},   {-1, 1, 1, -1}, {-1.2F, 0, -1, -1.2F}, {1, -1, 1, -1}};

  const Outcome outcome = run_rule("signguard { coordinates: 1 }", {.rows = rows});

  EXPECT_THAT(outcome.weights, ElementsAre(0.2, 0.0, 0.2, 0.2, 0.0, 0.2, 0.0, 0.2));
}

TEST(SignGuard, finds_attackers_on_a_tenth_of_the_columns) {
  Rows rows = random_rows(20, 5000);
  for (std::size_t i = 0; i < 20; i += 3) {
    for (float& value : rows[i]) value -= 0.4F;  // little is lost of the direction, but 0.34 of the signs are +
  }
  const Outcome outcome = run_rule("signguard {}", {.rows = rows});

  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(outcome.weights[i] == 0.0, i % 3 == 0) << i;
}

TEST(SignGuard, sees_turned_updates_by_cosine_or_distance_where_signs_do_not_show_them) {
  Rows rows = random_rows(9, 1000, 0.1);
  for (std::size_t i = 0; i < 9; ++i) {
    for (std::size_t c = 0; c < 1000; ++c) rows[i][c] += (c % 2 == 0) == (i < 6) ? 1.0F : -1.0F;
  }
  EXPECT_THAT(run_rule("signguard { coordinates: 1 }", {.rows = rows}).weights, Each(1.0 / 9.0));
  for (const std::string similarity : {"COSINE", "DISTANCE"}) {
    const Outcome outcome = run_rule("signguard { coordinates: 1 similarity: " + similarity + " }", {.rows = rows});
    for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(outcome.weights[i] == 0.0, i >= 6) << similarity << i;
  }
}

TEST(SignGuard, compares_with_the_last_aggregate_from_the_second_round_on) {
  // All at right angles to {1, 1, -1, -1}; three of five are their own median.
  const Rows rows{{1, -1, 1, -1}, {1, -1, 1, -1}, {1, -1, 1, -1}, {1, -1, -1, 1}, {1, -1, -1, 1}};
  for (const std::string similarity : {"COSINE", "DISTANCE"}) {
    const std::string text = "signguard { coordinates: 1 similarity: " + similarity + " }";
    const auto rule = make_rule(text);
    run_rule(*rule, Comm::self(), {.rows = Rows(5, {1, 1, -1, -1})});

    EXPECT_THAT(run_rule(*rule, Comm::self(), {.rows = rows}).weights, Each(0.2)) << similarity;
    EXPECT_THAT(run_rule(text, {.rows = rows}).weights, ElementsAre(third, third, third, 0.0, 0.0)) << similarity;
  }
}

TEST(SignGuard, falls_back_on_lengths_where_no_update_passes_both_tests) {
  Rows rows(7, {1, -1});
  for (const std::size_t i : {0U, 1U, 5U, 6U}) rows[i] = {1, 1};
  rows = scaled(rows, {0.01F, 0.01F, 1, 1, 1, 100, 100});

  EXPECT_THAT(run_rule("signguard { coordinates: 1 }", {.rows = rows}).weights,
              ElementsAre(0.0, 0.0, third, third, third, 0.0, 0.0));
}

TEST(SignGuard, keeps_the_smallest_id_of_two_equal_clusters) {
  const Rows rows{{1, 1}, {-1, -1}, {-1, -1}, {1, 1}};

  EXPECT_THAT(run_rule("signguard { coordinates: 1 }", {.rows = rows}).weights, ElementsAre(0.5, 0.0, 0.0, 0.5));
}

TEST(SignGuard, refuses_an_empty_band) {
  EXPECT_NO_THROW(make_rule("signguard { lower: 1 upper: 1 }")->check({.updates = 10}));
  EXPECT_THROW(make_rule("signguard { lower: 2 upper: 1 }")->check({.updates = 10}), InputError);
}

}  // namespace
}  // namespace souk
