#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.hpp"
#include "tests/support/rule_world.hpp"

namespace souk::deepsight_test {
namespace {

using testing::Each;
using testing::ElementsAre;

constexpr std::size_t body = 16, classes = 4, inputs = 5, weight = body, bias = body + classes * inputs;
constexpr std::size_t dimension = bias + classes;

/// An update whose last layer moves every class by an energy, half of it in the bias.
std::vector<float> with_energies(const std::vector<float>& energies) {
  std::vector<float> row(dimension, 0.01F);
  for (std::size_t c = 0; c < classes; ++c) {
    for (std::size_t h = 0; h < inputs; ++h) {
      row[weight + c * inputs + h] = (h % 2 == 0 ? -0.1F : 0.1F) * energies[c];
    }
    row[bias + c] = 0.5F * energies[c];
  }
  return row;
}

/// Answers that a test chooses, and what it was asked for.
class ChosenAnswers final : public LossOracle {
 public:
  explicit ChosenAnswers(std::vector<double> ratios) : ratios_(std::move(ratios)) {}
  std::vector<Judgement> on_root(const ColumnMatrix&) override { return {}; }
  ColumnVector root_gradient(const ColumnVector& step) override { return step; }
  std::vector<double> validator_reports(const ColumnMatrix&) override { return {}; }
  std::span<const AgentId> validators() const override { return {}; }
  std::vector<double> noise_ratios(const ColumnMatrix&, std::size_t samples, std::uint16_t lane) override {
    asked.emplace_back(samples, lane);
    return ratios_;
  }
  int classes() const override { return 4; }
  std::vector<std::pair<std::size_t, int>> asked;

 private:
  std::vector<double> ratios_;
};

/// The same ratio for all classes of an update.
std::vector<double> ratios(const std::vector<double>& of_updates) {
  std::vector<double> result;
  for (const double ratio : of_updates) result.insert(result.end(), classes, ratio);
  return result;
}

TEST(DeepSight, suspects_updates_that_move_few_classes) {
  // A class counts where its energy is more than half the largest: 4, 4, 3, 2 and 1 of them; the median is 3.
  const Rows rows{with_energies({1, 1, 1, 1}), with_energies({1, 0.9F, 0.8F, 0.7F}),
                  with_energies({0.6F, 1, 0.6F, 0.4F}), with_energies({1, 0, 0, 0.6F}),
                  with_energies({0.4F, 0.4F, 0.4F, 1})};

  EXPECT_EQ(run_rule("deepsight {}", {.rows = rows}).diagnostics.at("suspects"), 1.0);
  // Half the median itself is suspect: 4, 4 and 2.
  EXPECT_EQ(run_rule("deepsight {}", {.rows = {rows[0], rows[1], rows[3]}}).diagnostics.at("suspects"), 1.0);
  EXPECT_EQ(run_rule("deepsight {}", {.rows = {rows[0], rows[1], rows[2]}}).diagnostics.at("suspects"), 0.0);
}

TEST(DeepSight, drops_whole_clusters_with_a_third_of_suspects) {
  // Clients 1, 4 and 6 belong together by bias and by answers; only 4 is suspect.
  Rows rows;
  std::vector<double> answers;
  for (std::size_t i = 0; i < 9; ++i) {
    const bool attacker = i == 1 || i == 4 || i == 6;
    const float little = 0.01F * static_cast<float>(i);
    rows.push_back(with_energies({attacker ? -1.0F : 1.0F, 1.0F + little, attacker ? -1.0F : 1.0F, 0.9F}));
    answers.push_back(attacker ? 3.0 + 0.001 * static_cast<double>(i * i) : 1.0 + 0.001 * static_cast<double>(i * i));
  }
  rows[4] = with_energies({-1.0F, 0.01F, 0.01F, 0.01F});
  for (std::size_t c = 0; c < classes; ++c) rows[4][bias + c] = 0.9F * rows[1][bias + c];  // the same direction
  for (std::size_t h = 0; h < inputs; ++h) rows[4][weight + h] *= 50.0F;
  ChosenAnswers oracle(ratios(answers));

  const Outcome outcome = run_rule("deepsight {}", {.rows = rows, .losses = &oracle});

  EXPECT_EQ(outcome.diagnostics.at("suspects"), 1.0);
  for (const std::size_t i : {1U, 4U, 6U}) EXPECT_EQ(outcome.weights[i], 0.0) << i;
  EXPECT_EQ(outcome.diagnostics.at("accepted"), 6.0);
  const Outcome patient = run_rule("deepsight { tau: 0.34 }", {.rows = rows, .losses = &oracle});
  EXPECT_GT(patient.weights[1], 0.0) << "one of three is less than 0.34";
}

TEST(DeepSight, asks_for_its_samples_once_per_set) {
  ChosenAnswers oracle(ratios({1, 1, 2}));

  run_rule("deepsight { samples: 70 sets: 2 }", {.rows = Rows(3, with_energies({1, 1, 1, 1})), .losses = &oracle});

  EXPECT_EQ(oracle.asked, (std::vector<std::pair<std::size_t, int>>{{70, 0}, {70, 1}}));
}

TEST(DeepSight, clips_to_the_median_norm) {
  Rows rows(3, with_energies({1, 1, 1, 1}));
  for (float& value : rows[0]) value *= 0.5F;
  for (float& value : rows[2]) value *= 100.0F;

  const Outcome outcome = run_rule("deepsight {}", {.rows = rows});

  EXPECT_THAT(outcome.weights, Each(1.0 / 3.0));
  std::vector<float> expected = rows[1];
  for (float& value : expected) value *= 2.5F / 3.0F;
  expect_near(outcome.step, expected, 1e-6);
}

TEST(DeepSight, accepts_nobody_where_everybody_is_suspect) {
  const Outcome outcome = run_rule("deepsight {}", {.rows = Rows(4, std::vector<float>(dimension, 0.0F))});

  EXPECT_THAT(outcome.weights, Each(0.0));
  EXPECT_EQ(outcome.diagnostics.at("accepted"), 0.0);
  EXPECT_THAT(outcome.step, Each(0.0F));
}

TEST(DeepSight, works_where_a_model_answers_with_no_number) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  ChosenAnswers oracle(ratios({1, 1.1, nan, std::numeric_limits<double>::infinity(), 1.2}));
  Rows rows;
  for (std::size_t i = 0; i < 5; ++i) rows.push_back(with_energies({1, 1, 1, 0.9F + 0.01F * static_cast<float>(i)}));

  const Outcome outcome = run_rule("deepsight {}", {.rows = rows, .losses = &oracle});

  EXPECT_THAT(outcome.weights, Each(0.2));
}

TEST(DeepSight, refuses_a_network_without_a_last_weight_matrix_of_the_classes) {
  EXPECT_THROW(run_rule("deepsight {}", {.rows = random_rows(3, 10)}), InputError);
  QuadraticOracle three_classes(Comm::self(), std::vector<float>(dimension, 0.0F), 3);
  EXPECT_THROW(run_rule("deepsight {}", {.rows = random_rows(3, dimension), .losses = &three_classes}), InputError);
}

}  // namespace
}  // namespace souk::deepsight_test
