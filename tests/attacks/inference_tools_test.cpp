#include <cmath>
#include <numeric>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "attacks/adam_descent.hpp"
#include "attacks/affine_readout.hpp"
#include "attacks/bounded_lbfgs.hpp"
#include "attacks/imprint_layer.hpp"
#include "attacks/label_estimate.hpp"

namespace souk::inference_tools_test {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Pointwise;

// Specification 11, vector 1.
TEST(AffineReadout, shows_the_one_sample_in_every_row) {
  const std::vector<float> weights{.25F, .5F, .125F, -.25F, -.5F, -.125F}, biases{.5F, -.5F};

  EXPECT_THAT(affine_readout({.weights = weights, .biases = biases}), ElementsAre(.5F, 1.0F, .25F));
}

TEST(AffineReadout, rejects_rows_whose_biases_have_cancelled) {
  const std::vector<float> weights{.125F, .125F, -.1875F, -.125F, -.125F, .1875F}, biases{0.0F, 0.0F};

  EXPECT_TRUE(affine_readout({.weights = weights, .biases = biases}).empty());
}

TEST(AffineReadout, shows_different_samples_once_each) {
  const std::vector<float> weights{1, 2, 2, 4, 3, 3}, biases{1, 2, 3};

  EXPECT_THAT(affine_readout({.weights = weights, .biases = biases}), ElementsAre(1.0F, 1.0F, 1.0F, 2.0F));
}

// Vector 2: p uniform, C = 3, B = 8, k = (4, 1, 3).
TEST(LabelEstimate, is_exact_where_the_mean_answer_is_known) {
  const std::vector<float> biases{-1.0F / 6, 5.0F / 24, -1.0F / 24}, weights(6, 0.0F);
  const LastLayerGradient gradient{.weights = weights, .biases = biases, .samples = 8};
  const std::vector<double> even(9, 1.0 / 3.0);

  EXPECT_THAT(counts_by_prior(gradient, std::span(even).first(3)),
              ElementsAre(DoubleNear(4, 1e-6), DoubleNear(1, 1e-6), DoubleNear(3, 1e-6)));
  EXPECT_THAT(counts_by_answers(gradient, even),
              ElementsAre(DoubleNear(4, 1e-5), DoubleNear(1, 1e-5), DoubleNear(3, 1e-5)));
}

TEST(LabelEstimate, solves_for_counts_that_explain_a_gradient) {
  const std::vector<double> answers{.7, .2, .1, .3, .5, .2, .1, .1, .8}, k{6, 0, 10};
  std::vector<float> biases, weights(3, 0.0F);
  for (std::size_t c = 0; c < 3; ++c) {
    double mean = 0.0;
    for (std::size_t of = 0; of < 3; ++of) mean += answers[of * 3 + c] * k[of] / 16.0;
    biases.push_back(static_cast<float>(mean - k[c] / 16.0));
  }

  const std::vector<double> found = counts_by_answers({.weights = weights, .biases = biases, .samples = 16}, answers);

  EXPECT_THAT(found, Pointwise(DoubleNear(1e-3), k));
  EXPECT_THAT(whole_counts(found, 16), ElementsAre(6, 0, 10));
}

// Vector 2: row sums (-.6, -.2, .5, .3), B = 4: m = -.25, labels 0, 0, 0, 1.
TEST(LabelEstimate, takes_row_sums_as_llg_does) {
  const std::vector<float> weights{-.6F, -.2F, .5F, .3F}, biases(4, 0.0F);

  EXPECT_THAT(counts_by_row_sums({.weights = weights, .biases = biases, .samples = 4}), ElementsAre(3, 1, 0, 0));
}

TEST(LabelEstimate, takes_classes_with_negative_gradients) {
  const std::vector<float> weights(3, 0.0F), some{-.1F, .2F, -.1F}, none{.3F, .1F, .2F};

  EXPECT_THAT(counts_by_signs({.weights = weights, .biases = some, .samples = 2}), ElementsAre(1, 0, 1));
  EXPECT_THAT(counts_by_signs({.weights = weights, .biases = none, .samples = 2}), ElementsAre(0, 1, 0));
}

// e_c = g_W[c] / g_b[c]: (1, 2) and (3, 4).
TEST(LabelEstimate, answers_to_embeddings_that_the_gradient_shows) {
  const std::vector<float> weights{-2, -4, 3, 4}, biases{-2, 1}, last{1, 0, 0, 1}, last_biases{.5F, 0};

  const MeanAnswers answers =
      answers_to_embeddings({.weights = weights, .biases = biases, .samples = 3}, last, last_biases);

  EXPECT_NEAR(answers[1] / answers[0], std::exp(2.0 - 1.5), 1e-9);
  EXPECT_NEAR(answers[3] / answers[2], std::exp(4.0 - 3.5), 1e-9);
}

// Vector 5.
TEST(ImprintLayer, finds_as_many_samples_as_lie_alone) {
  EXPECT_NEAR(expected_alone(64, 8), 7.165, 5e-4);
  EXPECT_NEAR(expected_alone(128, 64), 39.047, 5e-4);
  EXPECT_NEAR(expected_alone(256, 64), 50.014, 5e-4);
  EXPECT_NEAR(expected_alone(1024, 256), 199.544, 5e-4);
}

TEST(ImprintLayer, expects_what_draws_come_to) {
  std::mt19937 random(5);
  double alone = 0.0;
  constexpr int trials = 4000;
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<int> counts(16, 0);
    for (int i = 0; i < 8; ++i) ++counts[random() % 16];
    alone += static_cast<double>(std::ranges::count(counts, 1)) / trials;
  }

  EXPECT_NEAR(expected_alone(16, 8), alone, 0.1);
}

// Three samples measured at 1, 2 and 3; thresholds 0.5, 1.5 and 1.8: one in the first bin, none, two in the last.
TEST(ImprintLayer, separates_bins_and_mixes_within_them) {
  const std::vector<std::vector<float>> samples{{1, 5}, {2, 6}, {3, 8}};
  const std::vector<float> slopes{.5F, -.25F, .75F};
  std::vector<float> weights(6, 0.0F), biases(3, 0.0F);
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t i = row == 0 ? 0 : 1; i < 3; ++i) {
      for (std::size_t j = 0; j < 2; ++j) weights[row * 2 + j] += slopes[i] * samples[i][j];
      biases[row] += slopes[i];
    }
  }

  difference_bins(weights, biases);
  const std::vector<float> found = affine_readout({.weights = weights, .biases = biases, .tolerance = 1e-4});

  EXPECT_THAT(found, ElementsAre(1.0F, 5.0F, (.75F * 3 - .25F * 2) / .5F, (.75F * 8 - .25F * 6) / .5F));
}

TEST(ImprintLayer, has_thresholds_with_equal_shares_between_them) {
  std::vector<double> measured(1001);
  std::iota(measured.begin(), measured.end(), 0.0);

  const std::vector<double> thresholds = bin_thresholds(measured, 4);

  EXPECT_LT(thresholds[0], 0.0);
  EXPECT_THAT(std::span(thresholds).subspan(1), ElementsAre(250.0, 500.0, 750.0));
}

/// Rosenbrock's valley of n variables, whose lowest point is (1, 1, …).
double valley(std::span<const double> at, std::span<double> gradient) {
  std::ranges::fill(gradient, 0.0);
  double sum = 0.0;
  for (std::size_t i = 0; i + 1 < at.size(); ++i) {
    const double bend = at[i + 1] - at[i] * at[i], rest = 1.0 - at[i];
    sum += 100.0 * bend * bend + rest * rest;
    gradient[i] += -400.0 * at[i] * bend - 2.0 * rest;
    gradient[i + 1] += 200.0 * bend;
  }
  return sum;
}

TEST(BoundedLbfgs, finds_the_end_of_a_valley) {
  const Descent found = minimised_in_box(valley, std::vector<double>(10, -1.0), {}, {.steps = 400, .memory = 10});

  EXPECT_THAT(found.at, Pointwise(DoubleNear(1e-5), std::vector<double>(10, 1.0)));
}

// The lowest point of |x - t|^2 in the box is t, clipped.
TEST(BoundedLbfgs, stays_in_the_box_and_reaches_its_wall) {
  const std::vector<double> target{-2.0, 0.25, 3.0, 5.0};
  const Smooth bowl = [&](std::span<const double> at, std::span<double> gradient) {
    double sum = 0.0;
    for (std::size_t i = 0; i < at.size(); ++i) {
      const double weight = static_cast<double>(i + 1);
      EXPECT_TRUE(i == 3 || (at[i] >= 0.0 && at[i] <= 1.0));
      sum += weight * (at[i] - target[i]) * (at[i] - target[i]);
      gradient[i] = 2.0 * weight * (at[i] - target[i]);
    }
    return sum;
  };

  const Descent found =
      minimised_in_box(bowl, {0.5, 0.5, 0.5, 0.5}, {.variables = 3, .low = 0.0, .high = 1.0}, {.steps = 50});

  EXPECT_THAT(found.at, ElementsAre(0.0, DoubleNear(0.25, 1e-7), 1.0, DoubleNear(5.0, 1e-7)));
}

TEST(AdamDescent, approaches_the_lowest_point_by_size_or_by_sign) {
  const Smooth bowl = [](std::span<const double> at, std::span<double> gradient) {
    gradient[0] = 2.0 * (at[0] - 0.3);
    gradient[1] = 20.0 * (at[1] - 2.0);
    return (at[0] - 0.3) * (at[0] - 0.3) + 10.0 * (at[1] - 2.0) * (at[1] - 2.0);
  };
  for (const bool signs : {false, true}) {
    const Descent found =
        minimised_by_adam(bowl, {0.9, 0.1}, {.variables = 2}, {.steps = 1000, .rate = 0.05, .by_signs = signs});

    EXPECT_THAT(found.at, ElementsAre(DoubleNear(0.3, 1e-2), 1.0)) << signs;
  }
}

}  // namespace
}  // namespace souk::inference_tools_test
