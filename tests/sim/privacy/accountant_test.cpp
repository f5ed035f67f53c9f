#include "sim/privacy/accountant.hpp"

#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

#include "sim/base/error.hpp"
#include "sim/privacy/gaussian_dp.hpp"
#include "sim/privacy/loss_accountant.hpp"
#include "sim/privacy/renyi.hpp"
#include "tests/sim/privacy/accountant_vectors.hpp"

namespace souk::accountant_test {
namespace {

using vectors::Row;
using List = std::vector<SubsampledGaussian>;

List releases_of(const Row& row) { return {{row.sampling, row.noise, row.rounds}}; }

double by_losses(const List& releases, double delta, double step = 1e-3) {
  return LossAccountant(step).epsilons(releases, delta).larger();
}

TEST(Renyi, has_every_row_of_the_table) {
  for (const Row& row : vectors::rows) {
    SCOPED_TRACE(testing::Message() << row);
    const RenyiEpsilon tight = renyi_epsilon(releases_of(row), row.delta);
    EXPECT_NEAR(tight.epsilon, row.rdp, 1e-6);
    EXPECT_NEAR(tight.order, row.order, 1e-9);
    EXPECT_FALSE(tight.at_edge);
    EXPECT_NEAR(renyi_epsilon(releases_of(row), row.delta, RenyiConversion::original).epsilon, row.rdp_original, 1e-6);
  }
}

TEST(Renyi, divergence_of_a_release_is_as_published) {
  EXPECT_NEAR(renyi_divergence(0.01, 1.0, 2.0), std::log1p(1e-4 * std::expm1(1.0)), 1e-15);
  EXPECT_NEAR(renyi_divergence(0.01, 1.0, 2.0), 1.718134e-4, 1e-10);
  EXPECT_NEAR(renyi_divergence(0.1, 1.0, 2.0), 0.01703686, 1e-8);
  EXPECT_NEAR(renyi_divergence(0.1, 1.0, 4.5), 0.08420911, 1e-8);
  EXPECT_NEAR(renyi_divergence(0.01, 1.0, 8.0), 8.936439e-4, 1e-10);
  EXPECT_NEAR(renyi_divergence(0.25, 2.0, 16.0), 0.6082268, 1e-7);
  EXPECT_NEAR(renyi_divergence(0.01, 4.0, 32.0), 1.052636e-4, 1e-10);
}

/// ln of the integral of q (p/q)^alpha, by the trapezoidal rule.
double divergence_by_integration(double q, double sigma, double alpha) {
  double sum = 0.0;
  constexpr double width = 1e-3;
  for (double x = -12.0 * sigma; x < alpha + 12.0 * sigma; x += width) {
    const double density = std::exp(-x * x / (2.0 * sigma * sigma)) / (sigma * std::sqrt(2.0 * std::numbers::pi));
    const double ratio = 1.0 - q + q * std::exp((2.0 * x - 1.0) / (2.0 * sigma * sigma));
    sum += width * density * std::pow(ratio, alpha);
  }
  return std::log(sum) / (alpha - 1.0);
}

TEST(Renyi, signed_series_of_fractional_orders_are_the_integral) {
  for (const double alpha : {1.1, 1.5, 2.3, 4.7, 10.9}) {
    for (const double q : {0.04, 0.3, 0.7}) {
      for (const double sigma : {0.8, 1.5, 4.0}) {
        SCOPED_TRACE(testing::Message() << alpha << " " << q << " " << sigma);
        const double integral = divergence_by_integration(q, sigma, alpha);
        EXPECT_NEAR(renyi_divergence(q, sigma, alpha), integral, 1e-8 * integral + 1e-12);
      }
    }
  }
}

TEST(Renyi, says_where_an_order_beyond_those_tried_might_give_less) {
  EXPECT_TRUE(renyi_epsilon(List{{1.0, 1000.0, 1}}, 1e-5).at_edge);
}

TEST(LossDistributions, have_every_row_of_the_table) {
  for (const Row& row : vectors::rows) {
    SCOPED_TRACE(testing::Message() << row);
    EXPECT_NEAR(by_losses(releases_of(row), row.delta), row.pld, 1e-5);
  }
}

TEST(LossDistributions, are_googles_where_they_were_run) {
  EXPECT_NEAR(by_losses({{0.04, 1.5, 2249}}, 1e-5), 6.76774210, 5e-7);
}

/// dp_accounting's test: delta(1) = .15594 for q = .2, sigma = .5, T = 3.
TEST(LossDistributions, give_the_delta_of_a_published_test) {
  EXPECT_NEAR(by_losses({{0.2, 0.5, 3}}, 0.155933), 1.0, 1e-4);
}

TEST(LossDistributions, compose_different_releases) {
  const List mixed{{0.1, 1.0, 50}, {0.2, 1.5, 50}, {1.0, 5.0, 10}};
  const BothEpsilons epsilons = LossAccountant(1e-3).epsilons(mixed, 1e-5);
  EXPECT_NEAR(epsilons.remove, 7.93429, 1e-5);
  EXPECT_NEAR(epsilons.add, 5.83734, 1e-5);
  EXPECT_NEAR(renyi_epsilon(mixed, 1e-5).epsilon, 8.75236, 1e-5);
}

TEST(LossDistributions, do_not_depend_on_how_releases_are_listed) {
  const List together{{0.1, 1.0, 60}}, apart{{0.1, 1.0, 20}, {0.1, 1.0, 40}};
  EXPECT_NEAR(by_losses(together, 1e-5), by_losses(apart, 1e-5), 1e-9);
}

/// One release without a composition: delta(eps) = P(L > eps) - e^eps Q(L > eps), which has a closed form.
TEST(LossDistributions, of_one_sampled_release_are_its_hockey_stick) {
  constexpr double q = 0.3, sigma = 0.8, epsilon = 1.2;
  const double place = sigma * sigma * std::log((std::exp(epsilon) - 1.0 + q) / q) + 0.5;
  const auto above = [](double z) { return 0.5 * std::erfc(z / std::numbers::sqrt2); };
  const double plain = above(place / sigma), mixed = (1.0 - q) * plain + q * above((place - 1.0) / sigma);
  const double delta = mixed - std::exp(epsilon) * plain;
  const double found = LossAccountant(1e-4).epsilons(List{{q, sigma, 1}}, delta).remove;
  EXPECT_GE(found, epsilon);
  EXPECT_NEAR(found, epsilon, 1e-6);
}

TEST(LossDistributions, are_those_of_gaussian_dp_where_nothing_is_sampled) {
  for (const double sigma : {0.5, 2.0, 20.0}) {
    for (const unsigned count : {1U, 7U, 300U}) {
      const double exact = gdp_epsilon(std::sqrt(count) / sigma, 1e-5);
      const List releases{{1.0, sigma, count}};
      const double found = LossAccountant::fit_for(releases, 1e-5).epsilons(releases, 1e-5).larger();
      EXPECT_GE(found, exact - 1e-9);
      EXPECT_NEAR(found, exact, 1e-3 * exact) << sigma << " " << count;
    }
  }
  EXPECT_NEAR(by_losses({{1.0, 5.0, 100}}, 1e-5, 2.5e-4), gdp_epsilon(2.0, 1e-5), 1e-4);
}

TEST(LossDistributions, a_finer_grid_never_says_more) {
  for (const Row& row : {vectors::rows[1], vectors::rows[2], vectors::rows[5], vectors::rows[12]}) {
    double before = std::numeric_limits<double>::infinity();
    for (const double step : {8e-3, 4e-3, 2e-3, 1e-3, 5e-4}) {
      const double now = by_losses(releases_of(row), row.delta, step);
      EXPECT_LE(now, before + 1e-9) << step;
      before = now;
    }
  }
}

TEST(LossDistributions, fit_is_fine_enough_whatever_the_sampling) {
  for (const double q : {1e-4, 1e-2, 0.5}) {
    const List releases{{q, 1.0, 1000}};
    const LossAccountant fit = LossAccountant::fit_for(releases, 1e-6);
    const double found = LossAccountant(fit.step()).epsilons(releases, 1e-6).larger();
    EXPECT_NEAR(found, by_losses(releases, 1e-6, fit.step() / 4.0), 3e-3 * found) << q;
  }
}

/// Losses of thousands, whose exponentials no double holds.
TEST(LossDistributions, cope_with_hardly_any_noise) {
  constexpr double sigma = 0.03, delta = 1e-5;
  const auto by_default = [](const List& releases) {
    return epsilon_by(Accountant::loss_distributions, releases, delta);
  };
  for (const unsigned count : {1U, 4U}) {
    const double exact = gdp_epsilon(std::sqrt(count) / sigma, delta), found = by_default({{1.0, sigma, count}});
    EXPECT_GE(found, exact * (1.0 - 1e-12)) << count;
    EXPECT_NEAR(found, exact, 2e-3 * exact) << count;
  }
  // Of one sampled release e^epsilon - 1 = q (e^epsilon' - 1), where epsilon' goes with delta / q without sampling:
  // exactly, where the vector is there to be removed; for losses as large as these epsilon = epsilon' + ln q.
  constexpr double q = 0.3;
  const double exact = gdp_epsilon(1.0 / sigma, delta / q) + std::log(q), found = by_default({{q, sigma, 1}});
  EXPECT_GE(found, exact * (1.0 - 1e-9));
  EXPECT_NEAR(found, exact, 2e-3 * exact);
}

TEST(GaussianLimit, has_every_row_of_the_table) {
  for (const Row& row : vectors::rows) {
    SCOPED_TRACE(testing::Message() << row);
    EXPECT_NEAR(epsilon_by(Accountant::gaussian_limit, releases_of(row), row.delta), row.limit, 1e-6);
  }
  EXPECT_NEAR(epsilon_by(Accountant::gaussian_limit, List{{0.04, 1.5, 2249}}, 1e-5), 6.59982, 1e-5);
}

TEST(Accountants, loss_distributions_never_exceed_renyi) {
  for (const double q : {0.01, 0.2, 1.0}) {
    for (const double sigma : {0.6, 1.5, 6.0}) {
      for (const unsigned count : {1U, 30U, 500U}) {
        const List releases{{q, sigma, count}};
        EXPECT_LE(by_losses(releases, 1e-5), renyi_epsilon(releases, 1e-5).epsilon)
            << q << " " << sigma << " " << count;
      }
    }
  }
}

TEST(Accountants, epsilon_falls_with_noise_and_grows_with_sampling_and_rounds) {
  for (const Accountant accountant : {Accountant::loss_distributions, Accountant::renyi, Accountant::gaussian_limit}) {
    const auto epsilon = [&](double q, double sigma, unsigned count) {
      return epsilon_by(accountant, List{{q, sigma, count}}, 1e-5);
    };
    const double middle = epsilon(0.1, 1.2, 100);
    EXPECT_LT(epsilon(0.1, 1.3, 100), middle);
    EXPECT_GT(epsilon(0.1, 1.1, 100), middle);
    EXPECT_GT(epsilon(0.11, 1.2, 100), middle);
    EXPECT_GT(epsilon(0.1, 1.2, 110), middle);
    EXPECT_EQ(epsilon_by(accountant, List{}, 1e-5), 0.0);
  }
}

struct Calibrated {
  double sampling;
  unsigned rounds;
  double epsilon, by_losses, by_renyi;
};

TEST(Accountants, noise_is_calibrated) {
  for (const auto& [q, rounds, epsilon, loss, renyi] :
       {Calibrated{0.1, 100, 8.0, 0.9359, 0.9934}, Calibrated{0.1, 100, 2.0, 2.2478, 2.4224},
        Calibrated{0.25, 150, 8.0, 2.0178, 2.1454}, Calibrated{0.25, 150, 1.0, 11.5462, 12.5262},
        Calibrated{1.0, 100, 8.0, 6.0023, 6.3767}}) {
    const List releases{{q, 1.0, rounds}};
    EXPECT_NEAR(noise_for(epsilon, Accountant::loss_distributions, releases, 1e-5), loss, 3e-4 * loss) << q << epsilon;
    EXPECT_NEAR(noise_for(epsilon, Accountant::renyi, releases, 1e-5), renyi, 2e-4) << q << epsilon;
  }
}

TEST(Accountants, noise_that_does_not_exist_is_refused) {
  EXPECT_THROW(noise_for(1e-9, Accountant::renyi, List{{1.0, 1.0, 100000}}, 1e-9), InputError);
  EXPECT_THROW(noise_for(1e9, Accountant::renyi, List{{1.0, 1.0, 1}}, 1e-5), InputError);
}

}  // namespace
}  // namespace souk::accountant_test
