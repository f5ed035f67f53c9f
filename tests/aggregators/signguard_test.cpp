#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aggregators/stats/mean_shift.hpp"
#include "sim/base/error.hpp"
#include "tests/support/rule_world.hpp"

namespace souk::signguard_test {
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

double norm_of(const std::vector<float>& a) {
  double square = 0.0;
  for (const float value : a) square += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(square);
}

double middle_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return 0.5 * (values[(values.size() - 1) / 2] + values[values.size() / 2]);
}

/// The features of the authors' code, on all columns: shares of +, 0 and - over the largest of each, and what the
/// similarity to the last aggregate adds.
DenseMatrix features_of(const Rows& rows, const std::vector<float>& last, const std::string& similarity) {
  const std::size_t n = rows.size();
  DenseMatrix features(n, similarity == "NONE" ? 3 : 4);
  std::vector<double> further;
  for (std::size_t i = 0; i < n; ++i) {
    double product = 0.0, distance = 0.0;
    for (std::size_t c = 0; c < rows[i].size(); ++c) {
      features(i, rows[i][c] > 0 ? 0 : rows[i][c] == 0 ? 1 : 2) += 1.0;
      product += static_cast<double>(rows[i][c]) * static_cast<double>(last[c]);
      distance += std::pow(static_cast<double>(rows[i][c]) - static_cast<double>(last[c]), 2);
    }
    further.push_back(similarity == "COSINE" ? product / (norm_of(rows[i]) * norm_of(last)) : std::sqrt(distance));
  }
  for (std::size_t k = 0; k < 3; ++k) {
    double largest = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
      features(i, k) /= static_cast<double>(rows[i].size());
      largest = std::max(largest, features(i, k));
    }
    for (std::size_t i = 0; i < n && largest > 0.0; ++i) features(i, k) /= largest;
  }
  const double middle = middle_of(further);
  for (std::size_t i = 0; i < n && similarity != "NONE"; ++i) {
    features(i, 3) = similarity == "COSINE" ? std::clamp(further[i], 0.0, middle) / (5.0 * middle)
                                            : (further[i] >= 1.1 * middle ? 0.2 : 0.0);
  }
  return features;
}

TEST(SignGuard, clusters_by_the_features_of_the_authors_code_and_drops_what_is_in_no_cluster) {
  std::size_t orphans = 0;
  const Rows many = random_rows(300, 100);
  for (std::ptrdiff_t set = 0; set < 30; ++set) {
    Rows rows(many.begin() + 10 * set, many.begin() + 10 * (set + 1));
    for (auto& row : rows) {  // now some have far more of a sign than most, and some less so
      const float shift = row[0] * row[0] * row[0];
      for (float& value : row) value += 0.2F * shift;
    }
    for (const std::string similarity : {"NONE", "COSINE", "DISTANCE"}) {
      const auto rule = make_rule("signguard { coordinates: 1 lower: 0 upper: 100 similarity: " + similarity + " }");
      const std::vector<float> last = run_rule(*rule, Comm::self(), {.rows = random_rows(5, 100)}).step;
      const Outcome outcome = run_rule(*rule, Comm::self(), {.rows = rows});
      const DenseMatrix features = features_of(rows, last, similarity);
      const auto labels = mean_shift(features, estimate_bandwidth(features, 0.5));
      for (std::size_t i = 0; i < 10; ++i) {
        EXPECT_EQ(outcome.weights[i] > 0.0, labels[i] == 0) << set << similarity << i;
        orphans += labels[i] == noise ? 1U : 0U;
      }
    }
  }
  EXPECT_GT(orphans, 0U) << "or nothing was tested";
}

TEST(SignGuard, refuses_an_empty_band) {
  EXPECT_NO_THROW(make_rule("signguard { lower: 1 upper: 1 }")->check({.updates = 10}));
  EXPECT_THROW(make_rule("signguard { lower: 2 upper: 1 }")->check({.updates = 10}), InputError);
}

}  // namespace
}  // namespace souk::signguard_test
