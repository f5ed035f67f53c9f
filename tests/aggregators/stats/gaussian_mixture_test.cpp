#include "aggregators/stats/gaussian_mixture.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "aggregators/stats/labels.hpp"
#include "sim/base/random.hpp"
#include "tests/fixtures/stats_fixtures.hpp"

namespace souk::gaussian_mixture_test {
namespace {

using fixtures::crowd;
using fixtures::dense;

GaussianMixture mixture_of(const DenseMatrix& points, std::size_t k) {
  Stream random(1, StreamKey{Purpose::aggregation, {}, {}});
  return gaussian_mixture(points, k, random);
}

struct Expected {
  std::size_t k;
  double likelihood, bic;
  std::vector<std::size_t> labels;
  std::vector<double> weights;  ///< ascending; means and covariances in that order
  DenseMatrix means, covariances;
};

void expect_mixture(const Expected& expected) {
  const GaussianMixture mixture = mixture_of(crowd, expected.k);
  EXPECT_NEAR(mixture.log_likelihood, expected.likelihood, 1e-8);
  EXPECT_NEAR(mixture.bic, expected.bic, 1e-6);
  EXPECT_EQ(numbered_by_first_member(mixture.labels), numbered_by_first_member(expected.labels));
  std::vector<std::size_t> order(expected.k);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return mixture.weights[a] < mixture.weights[b]; });
  for (std::size_t k = 0; k < expected.k; ++k) {
    EXPECT_NEAR(mixture.weights[order[k]], expected.weights[k], 1e-8);
    for (std::size_t c = 0; c < 2; ++c) EXPECT_NEAR(mixture.means(order[k], c), expected.means(k, c), 1e-7);
    for (std::size_t c = 0; c < 4; ++c) {
      EXPECT_NEAR(mixture.covariances[order[k]].values[c], expected.covariances(k, c), 1e-7);
    }
  }
}

TEST(GaussianMixture, IsScikitLearns) {
  using namespace fixtures;
  expect_mixture({1, mixture_likelihood_1[0], mixture_bic_1[0], mixture_labels_1, mixture_weights_1, mixture_means_1,
                  mixture_covariances_1});
  expect_mixture({2, mixture_likelihood_2[0], mixture_bic_2[0], mixture_labels_2, mixture_weights_2, mixture_means_2,
                  mixture_covariances_2});
  expect_mixture({3, mixture_likelihood_3[0], mixture_bic_3[0], mixture_labels_3, mixture_weights_3, mixture_means_3,
                  mixture_covariances_3});
}

TEST(GaussianMixture, ResponsibilitiesSumToOne) {
  const GaussianMixture mixture = mixture_of(crowd, 3);
  for (std::size_t i = 0; i < crowd.rows; ++i) {
    const auto row = mixture.responsibilities.row(i);
    EXPECT_NEAR(std::accumulate(row.begin(), row.end(), 0.0), 1.0, 1e-14);
  }
}

TEST(GaussianMixture, OfEqualPointsIsOneComponent) {
  const GaussianMixture mixture = mixture_of(dense(3, 2, {1, 2, 1, 2, 1, 2}), 2);
  EXPECT_EQ(mixture.weights, std::vector<double>{1.0});
  EXPECT_NEAR(mixture.covariances[0](0, 0), 1e-6, 1e-15);
  EXPECT_TRUE(std::isfinite(mixture.bic));
  EXPECT_EQ(mixture_of(dense(1, 1, {5}), 2).labels, std::vector<std::size_t>{0});
}

TEST(GaussianMixture, SeparatesPointsInMoreDimensionsThanThereArePoints) {
  DenseMatrix points(6, 10);
  for (std::size_t i = 0; i < 6; ++i) {
    for (std::size_t c = 0; c < 10; ++c) points(i, c) = i < 4 ? 0.0 : 1.0;
    points(i, i) += 0.1;
  }
  EXPECT_EQ(mixture_of(points, 2).labels, (std::vector<std::size_t>{0, 0, 0, 0, 1, 1}));
}

TEST(GaussianMixture, SurvivesHugePoints) {
  const GaussianMixture mixture = mixture_of(dense(4, 2, {1e30, 1e30, -1e30, -1e30, 3e30, 3e30, 0, 0}), 1);
  EXPECT_TRUE(std::isfinite(mixture.log_likelihood));
}

}  // namespace
}  // namespace souk::gaussian_mixture_test
