#include "sim/privacy/gaussian_dp.hpp"

#include <array>
#include <cmath>

#include <gtest/gtest.h>

namespace souk::gaussian_dp_test {
namespace {

/// Analytic Gaussian mechanism: epsilon and delta that a release under noise sigma just has.
struct Release {
  double epsilon, delta, sigma;
};

TEST(GaussianDp, gives_the_noise_of_the_analytic_gaussian_mechanism) {
  for (const auto& [epsilon, delta, sigma] :
       {Release{1.0, 1e-5, 3.730632}, {0.5, 1e-5, 7.031827}, {8.0, 1e-5, 0.600229}, {1.0, 1e-6, 4.224679}}) {
    EXPECT_NEAR(gdp_epsilon(1.0 / sigma, delta), epsilon, 1e-5 * epsilon);
  }
}

TEST(GaussianDp, gives_epsilon_of_mu) {
  struct Row {
    double mu;
    std::array<double, 3> epsilons;  // at delta 1e-3, 1e-5, 1e-6
  };
  const std::array<double, 3> deltas{1e-3, 1e-5, 1e-6};
  for (const Row& row : {Row{0.5, {1.352276, 1.993091, 2.254085}}, Row{1.0, {3.138671, 4.377178, 4.886554}},
                         Row{2.0, {7.581280, 9.997256, 10.997151}}, Row{4.0, {19.624121, 24.381611, 26.356964}}}) {
    for (std::size_t i = 0; i < deltas.size(); ++i) {
      EXPECT_NEAR(gdp_epsilon(row.mu, deltas[i]), row.epsilons[i], 6e-7) << row.mu;
    }
  }
}

TEST(GaussianDp, gives_delta_of_epsilon) {
  EXPECT_NEAR(gdp_delta(0.5, 1.0), 0.00682959, 5e-9);
  EXPECT_NEAR(gdp_delta(1.0, 1.0), 0.12693674, 5e-9);
  EXPECT_NEAR(gdp_delta(2.0, 1.0), 0.50986166, 5e-9);
}

TEST(GaussianDp, epsilon_is_0_where_delta_alone_covers_everything) {
  EXPECT_EQ(gdp_epsilon(0.1, 0.5), 0.0);
  EXPECT_EQ(gdp_epsilon(0.0, 1e-5), 0.0);
}

/// delta(epsilon) is the integral of (p - e^eps q)+; here by the trapezoidal rule.
TEST(GaussianDp, delta_is_the_integral_of_what_the_likelihood_exceeds) {
  for (const double mu : {0.3, 1.5, 6.0}) {
    for (const double epsilon : {0.0, 0.7, 5.0}) {
      const auto density = [](double x) { return std::exp(-0.5 * x * x) / std::sqrt(2.0 * std::acos(-1.0)); };
      double sum = 0.0;
      constexpr double width = 1e-4;
      for (double x = -10.0; x < 20.0; x += width) {
        sum += width * std::max(0.0, density(x - mu) - std::exp(epsilon) * density(x));
      }
      EXPECT_NEAR(gdp_delta(mu, epsilon), sum, 1e-7);
    }
  }
}

TEST(GaussianDp, squares_of_mu_add_up) {
  const std::array<SubsampledGaussian, 2> releases{{{1.0, 2.0, 3}, {1.0, 0.5, 1}}};
  EXPECT_DOUBLE_EQ(gdp_mu(releases), std::sqrt(3.0 / 4.0 + 4.0));
}

}  // namespace
}  // namespace souk::gaussian_dp_test
