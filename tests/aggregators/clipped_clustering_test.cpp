#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/rule_world.hpp"

namespace souk::clipped_clustering_test {
namespace {

using testing::ElementsAre;

constexpr double third = 1.0 / 3.0;

Outcome run(Aggregator& rule, const Rows& rows) { return run_rule(rule, Comm::self(), {.rows = rows}); }

TEST(ClippedClustering, averages_the_larger_cluster_clipped_to_the_median_norm) {
  // Norms 1, 2, 4, 6, 3, median 3.
  const Outcome outcome = run_rule("clipped_clustering {}", {.rows = {{1, 0}, {0, 2}, {-4, 0}, {6, 0}, {3, 0}}});

  EXPECT_EQ(outcome.diagnostics.at("clipping_norm"), 3.0);
  // 0, 3 and 4 together; then the second axis, at 1 from them and from the third, joins the pair that comes first.
  EXPECT_THAT(outcome.weights, ElementsAre(0.25, 0.25, 0.0, 0.25, 0.25));
  expect_near(outcome.step, {(1.0F + 3.0F + 3.0F) / 4.0F, 2.0F / 4.0F}, 1e-6);
}

TEST(ClippedClustering, links_clusters_by_their_average) {
  // Directions at 0, 40, 80 and 130, 175 degrees. Merges: {0, 40} at 0.23, {130, 175} at 0.29; 80 is at (0.83 + 0.23) /
  // 2 = 0.53 on average from the first two and at (0.36 + 1.09) / 2 = 0.72 from the last two. By single linkage 130
  // would chain with 80.
  Rows rows;
  for (const double degrees : {0.0, 40.0, 80.0, 130.0, 175.0}) {
    const double angle = degrees * std::acos(-1.0) / 180.0;
    rows.push_back({static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))});
  }
  EXPECT_THAT(run_rule("clipped_clustering {}", {.rows = rows}).weights, ElementsAre(third, third, third, 0.0, 0.0));
}

TEST(ClippedClustering, remembers_the_norms_of_all_rounds) {
  const auto rule = make_rule("clipped_clustering {}");

  EXPECT_EQ(run(*rule, {{1, 0}, {2, 0}, {0, 3}}).diagnostics.at("clipping_norm"), 2.0);
  // 1, 2, 3, 10, 20, 30
  const Outcome second = run(*rule, {{10, 0}, {20, 0}, {0, 30}});
  EXPECT_EQ(second.diagnostics.at("clipping_norm"), 6.5);
  expect_near(second.step, {6.5F, 0.0F}, 1e-6);
}

TEST(ClippedClustering, never_lets_more_than_max_tau_through) {
  const Outcome outcome = run_rule("clipped_clustering { max_tau: 0.5 }", {.rows = {{1, 0}, {2, 0}, {0, 3}}});

  expect_near(outcome.step, {0.5F, 0.0F}, 1e-6);
}

TEST(ClippedClustering, keeps_the_smallest_id_of_two_equal_clusters) {
  const Outcome outcome = run_rule("clipped_clustering {}", {.rows = {{0, 1}, {1, 0}, {2, 0}, {0, 2}}});

  EXPECT_THAT(outcome.weights, ElementsAre(0.5, 0.0, 0.0, 0.5));
}

TEST(ClippedClustering, clips_a_single_update_like_the_others) {
  const Outcome outcome = run_rule("clipped_clustering { max_tau: 0.5 }", {.rows = {{0, 3}}});

  EXPECT_THAT(outcome.weights, ElementsAre(1.0));
  expect_near(outcome.step, {0.0F, 0.5F}, 1e-6);
}

TEST(ClippedClustering, leaves_out_attackers_who_agree_with_each_other) {
  Rows rows = random_rows(10, 400, 0.5);
  for (std::size_t i = 0; i < 10; ++i) {
    for (float& value : rows[i]) value += i % 5 == 1 || i == 7 ? -0.3F : 0.3F;
  }
  const Outcome outcome = run_rule("clipped_clustering {}", {.rows = rows});

  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(outcome.weights[i] == 0.0, i % 5 == 1 || i == 7) << i;
}

}  // namespace
}  // namespace souk::clipped_clustering_test
