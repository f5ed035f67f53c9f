// Taking a published step apart into the updates delivered.
#include "agents/market/audit.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/random.hpp"
#include "sim/comm/thread_team.hpp"
#include "sim/params/linear.hpp"
#include "tests/support/matrices.hpp"

namespace souk::audit_test {
namespace {

using Values = std::vector<double>;

Values shares_of(const Comm& comm, const Rows& rows, const Values& weights) {
  const TestMatrix matrix(comm, rows);
  return shares_in_step(comm, matrix.columns(), combine(matrix.columns(), weights));
}

/// Updates of a round: normal values about a direction that all share, of lengths that differ by a thousand.
Rows round_of(std::size_t n, std::size_t dimension, Stream& random) {
  std::vector<float> shared(dimension);
  for (float& value : shared) value = static_cast<float>(random.normal());
  Rows rows(n, std::vector<float>(dimension));
  for (auto& row : rows) {
    const double length = std::pow(10.0, 3.0 * random.uniform() - 2.0);
    for (std::size_t c = 0; c < dimension; ++c) {
      row[c] = static_cast<float>(length * (0.5 * static_cast<double>(shared[c]) + random.normal()));
    }
  }
  return rows;
}

TEST(SharesInStep, are_the_weights_of_any_linear_combination) {
  const Values weights{0.05, 0.3, 0.0, 0.25, 0.15, 0.0, 0.25};
  Values first;
  for (const int ranks : {1, 2, 3}) {
    run_team(ranks, [&](const Comm& comm) {
      Stream random(1, StreamKey{Purpose::audit, nobody, {}});
      const Values shares = shares_of(comm, round_of(7, 3000, random), weights);
      for (std::size_t i = 0; i < weights.size(); ++i) EXPECT_NEAR(shares[i], weights[i], 2e-6) << i;
      if (comm.rank() == 0 && ranks == 1) first = shares;
      EXPECT_EQ(shares, first) << ranks;
    });
  }
}

TEST(SharesInStep, of_a_large_round_of_equal_lengths_are_exact_to_a_millionth) {
  const Rows rows = random_rows(60, 2000);
  Values weights(60);
  std::iota(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) weight /= 59.0 * 30.0;
  const Values shares = shares_of(Comm::self(), rows, weights);
  for (std::size_t i = 0; i < weights.size(); ++i) EXPECT_NEAR(shares[i], weights[i], 1e-6) << i;
}

TEST(SharesInStep, of_updates_that_are_much_alike_are_as_exact) {
  const Rows noise = random_rows(11, 2000);
  Rows rows(10, noise[10]);  // cosines of 0.9996
  for (std::size_t i = 0; i < 10; ++i) {
    for (std::size_t c = 0; c < 2000; ++c) rows[i][c] += 0.02F * noise[i][c];
  }
  const Values weights{0.3, 0.0, 0.1, 0.1, 0.0, 0.2, 0.05, 0.05, 0.0, 0.2};
  const Values shares = shares_of(Comm::self(), rows, weights);
  for (std::size_t i = 0; i < weights.size(); ++i) EXPECT_NEAR(shares[i], weights[i], 2e-6) << i;
}

TEST(SharesInStep, do_not_depend_on_the_servers_rate) {
  const Values shares = shares_of(Comm::self(), random_rows(3, 100), {0.1, 0.2, 0.1});
  EXPECT_NEAR(shares[0], 0.25, 1e-6);
  EXPECT_NEAR(shares[1], 0.5, 1e-6);
}

TEST(SharesInStep, are_shared_alike_by_copies) {
  Rows rows = random_rows(5, 200);
  rows[3] = rows[1];
  rows[4] = rows[1];
  const Values shares = shares_of(Comm::self(), rows, {0.4, 0.6, 0.0, 0.0, 0.0});
  EXPECT_NEAR(shares[0], 0.4, 1e-6);
  EXPECT_NEAR(shares[2], 0.0, 1e-6);
  for (const std::size_t copy : {1U, 3U, 4U}) EXPECT_NEAR(shares[copy], 0.2, 1e-6);
}

TEST(SharesInStep, of_more_updates_than_values_explain_the_step_at_least_length) {
  const Rows rows = random_rows(9, 4);
  Stream random(3, StreamKey{Purpose::audit, nobody, {}});
  Values weights(9);
  for (double& weight : weights) weight = random.uniform() / 4.5;
  const TestMatrix matrix(Comm::self(), rows);
  const ColumnVector step = combine(matrix.columns(), weights);
  const Values shares = shares_in_step(Comm::self(), matrix.columns(), step);
  // In the direction of the step, whatever the sum that shares are scaled to.
  const ColumnVector explained = combine(matrix.columns(), shares);
  const double factor = static_cast<double>(step.values()[0]) / static_cast<double>(explained.values()[0]);
  Values lengths;
  double own = 0.0, given = 0.0;
  for (std::size_t i = 0; i < 9; ++i) {
    double square = 0.0;
    for (const float value : rows[i]) square += static_cast<double>(value) * static_cast<double>(value);
    own += std::pow(factor * shares[i], 2) * square;
    given += std::pow(weights[i], 2) * square;
  }
  for (std::size_t c = 0; c < 4; ++c) {
    EXPECT_NEAR(factor * static_cast<double>(explained.values()[c]), step.values()[c], 1e-5);
  }
  EXPECT_LE(own, given * (1.0 + 1e-6));
}

TEST(SharesInStep, of_zeros_are_zero) {
  EXPECT_THAT(shares_of(Comm::self(), Rows(3, std::vector<float>(5)), {0.3, 0.3, 0.4}), testing::Each(0.0));
  EXPECT_THAT(shares_of(Comm::self(), random_rows(3, 5), {0.0, 0.0, 0.0}), testing::Each(0.0));
  Rows rows = random_rows(3, 50);
  rows[1].assign(50, 0.0F);
  const Values shares = shares_of(Comm::self(), rows, {0.25, 0.5, 0.75});
  EXPECT_NEAR(shares[0], 0.25, 1e-6);
  EXPECT_EQ(shares[1], 0.0);
}

/// Weights of a round: those of samples (FedAvg), or of some updates only, as martFL's.
Values weights_of(std::size_t n, bool selects, Stream& random) {
  Values weights(n);
  do {
    for (double& weight : weights) weight = selects && random.below(2) == 0 ? 0.0 : 0.2 + random.uniform();
  } while (*std::ranges::max_element(weights) == 0.0);
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) weight /= sum;
  return weights;
}

std::vector<bool> unpaid_in(const Rows& rows, const Values& weights, const std::vector<bool>& paid, double threshold) {
  const TestMatrix matrix(Comm::self(), rows);
  return unpaid_use(Comm::self(), matrix.columns(), combine(matrix.columns(), weights), paid, threshold);
}

TEST(UnpaidUse, never_accuses_the_honest_and_always_finds_who_is_left_out) {
  Stream random(7, StreamKey{Purpose::audit, nobody, {}});
  for (int round = 0; round < 2000; ++round) {
    const std::size_t n = 2 + random.below(9);
    const Values weights = weights_of(n, round % 2 == 0, random);
    const Rows rows = round_of(n, 64, random);
    std::vector<bool> paid;
    for (const double weight : weights) paid.push_back(weight > 0.0);
    EXPECT_THAT(unpaid_in(rows, weights, paid, 0.1), testing::Each(false));
    // Deny one of those used; all weigh more than a tenth of an equal share.
    std::size_t denied = random.below(static_cast<std::uint32_t>(n));
    while (weights[denied] == 0.0) denied = (denied + 1) % n;
    paid[denied] = false;
    std::vector<bool> expected(n, false);
    expected[denied] = true;
    EXPECT_EQ(unpaid_in(rows, weights, paid, 0.1), expected);
  }
}

TEST(UnpaidUse, accuses_nobody_of_copies_that_it_did_not_take) {
  Rows rows = random_rows(5, 400);
  rows[3] = rows[1];
  for (float& value : rows[3]) value *= 2.0F;  // a copy by direction
  rows[4] = rows[1];
  const Values weights{0.5, 0.5, 0.0, 0.0, 0.0};
  EXPECT_THAT(unpaid_in(rows, weights, {true, true, false, false, false}, 0.5), testing::Each(false));
  EXPECT_THAT(unpaid_in(rows, weights, {true, false, false, false, true}, 0.5), testing::Each(false));
  // Nobody of the three was paid: each may have been used.
  EXPECT_EQ(unpaid_in(rows, weights, {true, false, false, false, false}, 0.2),
            (std::vector<bool>{false, true, false, true, true}));
  EXPECT_EQ(unpaid_in(rows, {0.5, 0.0, 0.5, 0.0, 0.0}, std::vector<bool>(5, false), 0.5),
            (std::vector<bool>{true, false, true, false, false}));
}

TEST(UsedWithoutPayment, starts_at_the_threshold_times_an_equal_share) {
  const std::vector<double> shares{0.125, 0.12, 0.5, 0.255};
  EXPECT_THAT(used_without_payment(shares, {false, false, true, false}, 0.5),
              testing::ElementsAre(true, false, false, true));
}

}  // namespace
}  // namespace souk::audit_test
