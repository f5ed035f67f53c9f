// Scores of membership by shadows: numbers by hand, and what they say of models that have learned something.
#include "attacks/membership_scores.hpp"

#include <cmath>
#include <cstddef>
#include <vector>

#include <gmock/gmock.h>

#include "attacks/shadow_models.hpp"
#include "sim/stats/normal_distribution.hpp"
#include "tests/sim/learn/fixtures.hpp"

namespace souk::membership_scores_test {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

TEST(MembershipScores, the_logit_of_a_confidence_does_not_cancel) {
  const std::vector<float> nine_tenths{std::log(0.9F), std::log(0.1F)};
  EXPECT_NEAR(confidence_logit(nine_tenths, 0), 2.197225, 1e-6);
  EXPECT_NEAR(confidence_logit(std::vector<float>{80.0F, -40.0F, -40.0F}, 0), 120.0 - std::log(2.0), 1e-12);
}

/// Two signals a side, one deviation around the mean; medians and means are the same.
TEST(MembershipScores, likelihood_ratio_of_known_distributions) {
  const std::vector<ShadowSignals> one{{.target = 3.0, .in = {3.0, 5.0}, .out = {0.0, 2.0}}};
  for (const bool own : {false, true}) {
    EXPECT_THAT(likelihood_ratios(one, {.own_variance = own}), ElementsAre(DoubleNear(1.5, 1e-12)));
    const double z = offline_likelihoods(one, {.own_variance = own}).front();
    EXPECT_NEAR(std::log(normal_cdf(z)), -0.023013, 1e-6);
  }
  EXPECT_THAT(calibrated_difficulties(one), ElementsAre(2.0));
}

/// Of two samples that lie far apart, with residuals of 1 and 2: how far apart is in no variance.
TEST(MembershipScores, pooled_variances_are_of_residuals) {
  const std::vector<ShadowSignals> two{{.target = 0.0, .in = {-1.0, 1.0}, .out = {-1.0, 1.0}},
                                       {.target = 103.0, .in = {98.0, 102.0}, .out = {98.0, 102.0}}};
  EXPECT_THAT(offline_likelihoods(two, {}), ElementsAre(0.0, DoubleNear(3.0 / std::sqrt(2.5), 1e-12)));
}

TEST(MembershipScores, medians_are_not_moved_by_one_shadow) {
  const std::vector<ShadowSignals> one{{.target = 1.0, .in = {0.0, 0.0, 9.0}, .out = {0.0, 0.0, 9.0}}};
  EXPECT_GT(offline_likelihoods(one, {})[0], 0.0);
  EXPECT_LT(offline_likelihoods(one, {.means = true})[0], 0.0);
}

TEST(MembershipScores, relative_confidence_is_compared_with_the_population) {
  const ShadowSignals sample{.target = 0.6, .in = {0.9, 0.7}, .out = {0.1, 0.3}};
  EXPECT_NEAR(relative_confidence(sample, {}), 0.6 / 0.5, 1e-12);
  EXPECT_NEAR(relative_confidence(sample, {.offline = true, .a = 0.3}), 0.6 / (0.5 * (1.3 * 0.2 + 0.7)), 1e-12);
  const auto with_ratio = [](double ratio) { return ShadowSignals{.target = ratio, .in = {1.0}, .out = {1.0}}; };
  const std::vector<ShadowSignals> samples{with_ratio(1.2), with_ratio(0.1), with_ratio(9.0)},
      others{with_ratio(0.5), with_ratio(1.0), with_ratio(1.2), with_ratio(2.0)};
  EXPECT_THAT(shares_below(samples, others, {}), ElementsAre(0.5, 0.0, 1.0)) << "more than, not as much as";
  EXPECT_THAT(shares_below(samples, others, {.gamma = 2.0}), ElementsAre(0.25, 0.0, 1.0));
}

/// At the optimum the slope of the penalised loss is nothing.
TEST(MembershipScores, regressions_are_where_the_slope_vanishes) {
  std::vector<std::vector<double>> rows;
  std::vector<std::uint8_t> truth;
  const std::vector<float> drawn = fixtures::normal_values(240, 5);
  for (std::size_t i = 0; i < 60; ++i) {
    rows.push_back({drawn[4 * i], drawn[4 * i + 1], drawn[4 * i + 2]});
    truth.push_back(drawn[4 * i] - drawn[4 * i + 1] + drawn[4 * i + 3] > 0.3F ? 1 : 0);
  }
  const std::vector<double> found = logistic_regression(rows, truth, 0.5);
  std::vector<double> slope;
  for (const double coefficient : found) slope.push_back(0.5 * coefficient);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double miss = 1.0 / (1.0 + std::exp(-log_odds(found, rows[i]))) - truth[i];
    for (std::size_t k = 0; k < 3; ++k) slope[k] += miss * rows[i][k];
    slope[3] += miss;
  }
  EXPECT_THAT(slope, testing::Each(DoubleNear(0.0, 1e-8)));
  EXPECT_GT(found[0], 0.5);
  EXPECT_LT(found[1], -0.5);
}

TEST(ShadowModels, every_sample_is_in_half_of_the_shadows) {
  const ShadowSplit split(300, 8, 3);
  std::vector<std::size_t> sizes(8, 0);
  for (std::size_t sample = 0; sample < 300; ++sample) {
    std::size_t with = 0;
    for (std::size_t shadow = 0; shadow < 8; ++shadow) {
      with += split.has(shadow, sample) ? 1 : 0;
      sizes[shadow] += split.has(shadow, sample) ? 1 : 0;
    }
    EXPECT_EQ(with, 4U);
  }
  for (std::size_t shadow = 0; shadow < 8; ++shadow) {
    EXPECT_NEAR(static_cast<double>(sizes[shadow]), 150.0, 4.0 * std::sqrt(75.0));
    EXPECT_EQ(split.samples_of(shadow).size(), sizes[shadow]);
  }
}

TEST(ShadowModels, learn_what_they_have) {
  const ModelShape shape = fixtures::shape(1, 4, 4, 3);
  const auto network = make_network(fixtures::model("mlp { hidden: 40 }"), shape, "cpu");
  const fixtures::Samples first(shape, 30, 1),
      second(shape, 30, 2);  // classes are drawn: there is nothing to learn but them
  ShadowPool pool({.features = first.features, .labels = first.labels},
                  {.features = second.features, .labels = second.labels});
  ASSERT_EQ(pool.size(), 60U);
  const ShadowSplit split(60, 4, 9);
  const ShadowTraining training{.passes = 150, .batch_size = 5, .rate = 0.1};
  const std::vector<float> shadow = trained_shadow(*network, pool, split, 1, training, 9, {});
  EXPECT_EQ(trained_shadow(*network, pool, split, 1, training, 9, {}), shadow);
  std::vector<float> logits(60 * 3);
  network->outputs(shadow, pool.part(0, pool.size()), logits);
  double with = 0.0, without = 0.0;
  for (std::size_t i = 0; i < 60; ++i) {
    (split.has(1, i) ? with : without) += confidence_logit(std::span(logits).subspan(3 * i, 3), pool.label(i)) / 30.0;
  }
  EXPECT_GT(with, without + 2.0);
}

}  // namespace
}  // namespace souk::membership_scores_test
