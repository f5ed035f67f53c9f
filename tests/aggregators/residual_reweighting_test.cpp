#include <algorithm>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/rule_world.hpp"

namespace souk::residual_reweighting_test {
namespace {

using testing::Each;

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return (values[(n - 1) / 2] + values[n / 2]) / 2.0;
}

/// One coordinate by the paper's formulas, [n] in the order of the clients.
struct Fit {
  std::vector<double> confidence, restricted;
};

Fit by_definition(const std::vector<double>& y, double lambda, double delta) {
  const std::size_t n = y.size();
  const auto count = static_cast<double>(n);
  std::vector<double> rank(n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) rank[i] += y[j] < y[i] || (y[j] == y[i] && j < i);
  }
  std::vector<double> medians;
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<double> slopes;
    for (std::size_t j = 0; j < n; ++j) {
      if (j != i) slopes.push_back((y[j] - y[i]) / (rank[j] - rank[i]));
    }
    medians.push_back(median_of(slopes));
  }
  const double slope = median_of(medians);
  const double intercept = median_of(y) - slope * (count - 1.0) / 2.0;
  std::vector<double> residuals, sizes, weights;
  for (std::size_t i = 0; i < n; ++i) {
    residuals.push_back(y[i] - (intercept + slope * rank[i]));
    sizes.push_back(std::abs(residuals.back()));
  }
  std::vector<double> but_smallest = sizes;
  but_smallest.erase(std::min_element(but_smallest.begin(), but_smallest.end()));
  const double tau = 1.4826 * (1.0 + 5.0 / (count - 1.0)) * median_of(but_smallest) + 1e-7 * slope * (count - 1.0);
  double squares = 0.0;
  for (std::size_t i = 0; i < n; ++i) squares += std::pow(rank[i] - (count - 1.0) / 2.0, 2);
  const double k = lambda * std::sqrt(2.0 / count);
  double mean = 0.0, variance = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    const double root = std::sqrt(1.0 - 1.0 / count - std::pow(rank[i] - (count - 1.0) / 2.0, 2) / squares);
    const double e = residuals[i] / tau;
    weights.push_back(e == 0.0 ? 1.0 : root / e * std::clamp(e / root, -k, k));
    mean += weights.back() / count;
  }
  for (const double weight : weights) variance += (weight - mean) * (weight - mean) / (count - 1.0);
  Fit fit;
  for (std::size_t i = 0; i < n; ++i) {
    fit.confidence.push_back(weights[i] * std::sqrt(variance));
    fit.restricted.push_back(weights[i] < delta ? intercept + slope * rank[i] : y[i]);
  }
  return fit;
}

void expect_as_defined(const Rows& rows, const std::string& text, double lambda, double delta) {
  const std::size_t n = rows.size();
  const std::size_t d = rows.front().size();
  std::vector<double> confidence(n, 0.0);
  std::vector<Fit> fits;
  for (std::size_t c = 0; c < d; ++c) {
    std::vector<double> y;
    for (const auto& row : rows) y.push_back(static_cast<double>(row[c]));
    fits.push_back(by_definition(y, lambda, delta));
    for (std::size_t i = 0; i < n; ++i) confidence[i] += fits.back().confidence[i];
  }
  const double largest = *std::max_element(confidence.begin(), confidence.end());
  for (double& value : confidence) value = std::pow(value / largest, 2);
  const double sum = std::reduce(confidence.begin(), confidence.end());
  std::vector<float> step;
  for (std::size_t c = 0; c < d; ++c) {
    double value = 0.0;
    for (std::size_t i = 0; i < n; ++i) value += confidence[i] / sum * fits[c].restricted[i];
    step.push_back(static_cast<float>(value));
  }

  const Outcome outcome = run_rule(text, {.rows = rows});

  for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(outcome.weights[i], confidence[i] / sum, 1e-6) << n;
  expect_near(outcome.step, step, 1e-5);
}

TEST(ResidualReweighting, follows_the_formulas) {
  for (const std::size_t n : {3U, 4U, 5U, 10U, 21U}) {
    Rows rows = random_rows(n, 150);
    for (std::size_t c = 0; c < 150; ++c) rows[n - 1][c] += 2.0F;
    expect_as_defined(rows, "residual_reweighting {}", 2.0, 0.1);
    expect_as_defined(rows, "residual_reweighting { lambda: 0.5 delta: 0.4 }", 0.5, 0.4);
  }
}

TEST(ResidualReweighting, puts_a_far_value_on_the_line_of_the_others) {
  // Sorted 1 … 9 and 1e6: the line is rank + 1, so the far value becomes 10.
  Rows rows;
  for (std::size_t i = 0; i < 9; ++i) rows.push_back({static_cast<float>(9 - i)});
  rows.push_back({1e6F});

  const Outcome outcome = run_rule("residual_reweighting {}", {.rows = rows});

  EXPECT_LT(outcome.weights[9], 1e-6);
  EXPECT_NEAR(outcome.step[0], 5.0F, 1e-4);
  EXPECT_LT(outcome.scores[9], 1e-6);
  EXPECT_EQ(outcome.scores[0], 1.0);
}

TEST(ResidualReweighting, distrusts_attackers_who_move_many_parameters) {
  Rows rows = random_rows(20, 500, 0.1);
  for (const std::size_t attacker : {3U, 8U, 19U}) {
    for (std::size_t c = 0; c < 500; ++c) rows[attacker][c] = (c % 2 == 0 ? 1.0F : -1.0F) + rows[attacker][c];
  }
  const Outcome outcome = run_rule("residual_reweighting {}", {.rows = rows});

  for (std::size_t i = 0; i < 20; ++i) {
    const bool attacker = i == 3 || i == 8 || i == 19;
    EXPECT_TRUE(attacker ? outcome.weights[i] < 0.01 : outcome.weights[i] > 0.04) << i << ' ' << outcome.weights[i];
  }
  for (const float value : outcome.step) ASSERT_LT(std::abs(value), 0.15F);
}

TEST(ResidualReweighting, averages_where_all_values_lie_on_their_lines) {
  EXPECT_THAT(run_rule("residual_reweighting {}", {.rows = {{1, 5}, {3, 6}}}).step, testing::ElementsAre(2.0F, 5.5F));
  EXPECT_THAT(run_rule("residual_reweighting {}", {.rows = {{1, 5}, {2, 5}, {3, 5}, {4, 5}}}).weights, Each(0.25));
}

TEST(ResidualReweighting, stays_finite_where_differences_overflow) {
  const Outcome outcome = run_rule("residual_reweighting {}", {.rows = {{-3e38F}, {3e38F}, {-3e38F}, {3e38F}, {0}}});

  EXPECT_TRUE(std::isfinite(outcome.step[0]));
  EXPECT_NEAR(std::reduce(outcome.weights.begin(), outcome.weights.end()), 1.0, 1e-9);
}

}  // namespace
}  // namespace souk::residual_reweighting_test
