#include <cmath>
#include <numeric>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/rule_world.hpp"

namespace souk::flshield_test {
namespace {

using testing::Each;

/// Keeps the representatives it was asked about.
class RecordingOracle final : public QuadraticOracle {
 public:
  using QuadraticOracle::QuadraticOracle;
  std::vector<double> validator_reports(const ColumnMatrix& steps) override {
    asked = rows_of(steps);
    return QuadraticOracle::validator_reports(steps);
  }
  Rows asked;
};

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0, std::plus<>(),
                            [](float x, float y) { return static_cast<double>(x) * static_cast<double>(y); });
}

double norm(const std::vector<float>& a) { return std::sqrt(dot(a, a)); }

/// Equation 4 in d dimensions, with the weights of the paper or of the repository.
std::vector<float> representative(const Rows& rows, std::size_t i, double tau, bool as_code) {
  std::vector<double> siblings(rows[i].size(), 0.0);
  double sum = 0.0;
  for (std::size_t j = 0; j < rows.size(); ++j) {
    if (j == i) continue;
    const double similarity = std::max(0.0, dot(rows[i], rows[j]) / (norm(rows[i]) * norm(rows[j])));
    const double ratio = norm(rows[i]) / norm(rows[j]);
    const double weight = similarity * (as_code ? std::min(1.0, ratio) : ratio);
    sum += weight;
    for (std::size_t c = 0; c < siblings.size(); ++c) siblings[c] += weight * static_cast<double>(rows[j][c]);
  }
  std::vector<float> made(rows[i]);
  for (std::size_t c = 0; c < made.size() && sum > 0.0; ++c) {
    made[c] = static_cast<float>((1.0 - tau) * static_cast<double>(rows[i][c]) + tau * siblings[c] / sum);
  }
  return made;
}

/// Five updates near the target, and the last pointing away from it.
struct Planted {
  std::vector<float> target = std::vector<float>(12, 1.0F);
  Rows rows = random_rows(6, 12, 0.1);
  Planted() {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (float& value : rows[i]) value += i == 5 ? -1.0F : 1.0F;
    }
  }
};

TEST(FlShield, bijective_representatives_follow_equation_4_of_paper_and_repository) {
  const Rows rows = random_rows(7, 40);
  for (const bool as_code : {false, true}) {
    RecordingOracle oracle(Comm::self(), std::vector<float>(40, 0.5F));
    const std::string text = fmt::format("flshield {{ tau: 0.6 variant: {} }}", as_code ? "CODE" : "PAPER");
    run_rule(text, {.rows = rows, .losses = &oracle});

    ASSERT_EQ(oracle.asked.size(), rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      expect_near(oracle.asked[i], representative(rows, i, 0.6, as_code), 1e-5);
    }
  }
}

TEST(FlShield, a_planted_bad_update_scores_last_and_half_of_the_updates_are_kept_at_the_median_norm) {
  const Planted planted;
  RecordingOracle oracle(Comm::self(), planted.target, 3, 8);
  const Outcome outcome = run_rule("flshield {}", {.rows = planted.rows, .losses = &oracle});

  EXPECT_EQ(std::min_element(outcome.scores.begin(), outcome.scores.end()) - outcome.scores.begin(), 5);
  EXPECT_EQ(outcome.weights[5], 0.0);
  EXPECT_EQ(std::count_if(outcome.weights.begin(), outcome.weights.end(), [](double w) { return w > 0.0; }), 3);

  std::vector<double> norms;
  for (const auto& row : planted.rows) norms.push_back(norm(row));
  std::vector<double> sorted = norms;
  std::sort(sorted.begin(), sorted.end());
  const double limit = 0.5 * (sorted[2] + sorted[3]);
  std::vector<float> expected(12, 0.0F);
  for (std::size_t i = 0; i < 6; ++i) {
    const double factor = outcome.weights[i] * std::min(1.0, limit / norms[i]);
    for (std::size_t c = 0; c < 12; ++c) expected[c] += static_cast<float>(factor) * planted.rows[i][c];
  }
  expect_near(outcome.step, expected, 1e-6);
}

TEST(FlShield, the_score_is_the_gain_in_the_worst_class_averaged_over_validators) {
  const Planted planted;
  RecordingOracle oracle(Comm::self(), planted.target, 3, 2);  // two validators: none can be called outlying
  const Outcome outcome = run_rule("flshield {}", {.rows = planted.rows, .losses = &oracle});
  for (std::size_t e = 0; e < 6; ++e) {
    double worst = std::numeric_limits<double>::infinity();
    for (std::size_t c = 0; c < 3; ++c) {
      double gain = 0.0;
      for (std::size_t k = c; k < 12; k += 3) {
        const double rest = static_cast<double>(oracle.asked[e][k]) - 1.0;
        gain += 0.5 - 0.5 * rest * rest;
      }
      worst = std::min(worst, gain);
    }
    EXPECT_NEAR(outcome.scores[e], worst, 1e-5);
  }
}

TEST(FlShield, validators_that_miss_a_class_or_lie_do_not_let_the_bad_update_in) {
  const Planted planted;
  for (const std::string variant : {"PAPER", "CODE"}) {
    RecordingOracle oracle(Comm::self(), planted.target, 3, 10, {{0, 1}, {4, 2}, {5, 0}}, {7, 8, 9});
    const Outcome outcome =
        run_rule("flshield { variant: " + variant + " contamination: 0.3 }", {.rows = planted.rows, .losses = &oracle});
    EXPECT_EQ(outcome.weights[5], 0.0) << variant;
    EXPECT_EQ(outcome.diagnostics.at("validators_dropped"), 3.0) << variant;
    EXPECT_EQ(outcome.diagnostics.at("classes_judged"), 3.0);
  }
}

TEST(FlShield, a_class_that_nobody_holds_is_never_the_worst) {
  const Planted planted;
  RecordingOracle oracle(Comm::self(), planted.target, 3, 2, {{0, 1}, {1, 1}});
  const Outcome outcome = run_rule("flshield { imputation: MEAN }", {.rows = planted.rows, .losses = &oracle});
  EXPECT_EQ(outcome.diagnostics.at("classes_judged"), 2.0);
  EXPECT_THAT(outcome.scores, Each(testing::Lt(10.0)));
}

/// Updates near the target, and `bad` more that point away from it and are far from the others.
Planted crowd(std::size_t good, std::size_t bad) {
  Planted planted;
  planted.rows = random_rows(good + bad, 12, 0.1);
  for (std::size_t i = 0; i < good + bad; ++i) {
    for (float& value : planted.rows[i]) value += i < good ? 1.0F : -1.0F;
  }
  return planted;
}

std::vector<std::size_t> range(std::size_t from, std::size_t to) {
  std::vector<std::size_t> rows(to - from);
  std::iota(rows.begin(), rows.end(), from);
  return rows;
}

TEST(FlShield, clusters_are_judged_by_their_means_and_the_worse_cluster_is_left_out) {
  const Planted planted = crowd(8, 4);
  for (const std::string variant : {"PAPER", "CODE"}) {
    RecordingOracle oracle(Comm::self(), planted.target, 3, 8);
    const Outcome outcome = run_rule("flshield { representatives: CLUSTER variant: " + variant + " }",
                                     {.rows = planted.rows, .losses = &oracle});
    ASSERT_EQ(oracle.asked.size(), 2U) << variant;
    expect_near(oracle.asked[0], mean_of_rows(planted.rows, range(0, 8)), 1e-6);
    expect_near(oracle.asked[1], mean_of_rows(planted.rows, range(8, 12)), 1e-6);
    for (std::size_t i = 0; i < 12; ++i) EXPECT_EQ(outcome.weights[i] > 0.0, i < 8) << variant << i;
  }
}

TEST(FlShield, the_repository_does_not_cluster_fewer_than_ten_updates) {
  const Planted planted = crowd(6, 3);
  RecordingOracle oracle(Comm::self(), planted.target, 3, 8);
  run_rule("flshield { representatives: CLUSTER variant: CODE }", {.rows = planted.rows, .losses = &oracle});
  EXPECT_EQ(oracle.asked, planted.rows);
}

TEST(FlShield, drops_half_of_the_representatives_rounded_down_and_keeps_the_best_others) {
  // Update i is i steps away from the target: the fewer the better. Five clients: two dropped, three kept, not two.
  for (const std::string variant : {"PAPER", "CODE"}) {
    for (std::size_t n = 1; n <= 25; ++n) {
      Rows rows(n, std::vector<float>(12, 1.0F));
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t c = 0; c < 12; ++c) rows[i][c] += 0.05F * static_cast<float>(i);
      }
      RecordingOracle oracle(Comm::self(), std::vector<float>(12, 1.0F), 3, 8);
      const Outcome outcome =
          run_rule("flshield { tau: 0 variant: " + variant + " }", {.rows = rows, .losses = &oracle});
      for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(outcome.weights[i] > 0.0, i < n - n / 2) << n << ' ' << i;
    }
  }
}

TEST(FlShield, keeps_thirteen_of_twenty_five_as_the_published_rates_need_and_other_shares_likewise) {
  const auto kept = [](const std::string& keep, std::size_t n) {
    const Planted planted = crowd(n, 0);
    RecordingOracle oracle(Comm::self(), planted.target, 3, 2);
    const Outcome outcome = run_rule("flshield { " + keep + " }", {.rows = planted.rows, .losses = &oracle});
    return std::count_if(outcome.weights.begin(), outcome.weights.end(), [](double weight) { return weight > 0.0; });
  };
  EXPECT_EQ(kept("", 25), 13);
  EXPECT_EQ(kept("keep: 0.3", 10), 3);
  EXPECT_EQ(kept("keep: 0.3", 11), 4);
  EXPECT_EQ(kept("keep: 1e-9", 10), 1);
  EXPECT_EQ(kept("keep: 1", 10), 10);
}

TEST(FlShield, the_repository_gives_back_what_clipping_took) {
  // Norms 1, 1 and 4 in one direction; the median is 1. Paper: (1 + 1 + 1) / 3; repository: 3 / (1 + 1 + 0.25).
  const Rows rows{{1, 0}, {1, 0}, {4, 0}};
  const auto step = [&](const std::string& variant) {
    QuadraticOracle oracle(Comm::self(), {1, 0}, 2, 3);
    return run_rule("flshield { keep: 1 variant: " + variant + " }", {.rows = rows, .losses = &oracle}).step[0];
  };
  EXPECT_NEAR(step("PAPER"), 1.0, 1e-6);
  EXPECT_NEAR(step("CODE"), 4.0 / 3.0, 1e-6);
}

}  // namespace
}  // namespace souk::flshield_test
