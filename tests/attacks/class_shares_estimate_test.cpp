#include "attacks/class_shares_estimate.hpp"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>

#include "attacks/bfgs.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"

namespace souk::class_shares_estimate_test {
namespace {

using testing::DoubleNear;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;

Stream stream(std::uint64_t seed) { return {seed, streams::starts_of_fit({1})}; }

/// A world of classes whose gradients are random vectors of 40 values, and updates that are random mixtures of them.
class World {
 public:
  World(std::size_t classes, std::uint64_t seed) : classes_(classes), random_(stream(seed)) {
    gradients_.resize(classes, std::vector<double>(40));
    for (auto& gradient : gradients_) std::ranges::generate(gradient, [&] { return random_.normal(); });
  }
  /// A round of so many updates; what each earns, `score` says of its cosine with the root update of these shares.
  template <class Score>
  ScoredRound round(std::size_t updates, const std::vector<double>& shares, Score score) {
    ScoredRound round{.products = {}, .between = SymmetricMatrix::zeros(classes_), .outcomes = {}};
    for (std::size_t c = 0; c < classes_; ++c) {
      for (std::size_t k = 0; k <= c; ++k) round.between(c, k) = product(gradients_[c], gradients_[k]);
    }
    const std::vector<double> root = mixture(shares);
    for (std::size_t j = 0; j < updates; ++j) {
      std::vector<double> coefficients(classes_);
      std::ranges::generate(coefficients, [&] { return random_.normal(); });
      const std::vector<double> update = mixture(coefficients);
      const double length = std::sqrt(product(update, update));
      for (const auto& gradient : gradients_) round.products.push_back(product(update, gradient) / length);
      round.outcomes.push_back(score(product(update, root) / length / std::sqrt(product(root, root))));
    }
    return round;
  }

 private:
  static double product(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
  }
  std::vector<double> mixture(const std::vector<double>& coefficients) const {
    std::vector<double> sum(40, 0.0);
    for (std::size_t c = 0; c < classes_; ++c) {
      for (std::size_t i = 0; i < 40; ++i) sum[i] += coefficients[c] * gradients_[c][i];
    }
    return sum;
  }
  std::size_t classes_;
  Stream random_;
  std::vector<std::vector<double>> gradients_;
};

double error(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0.0;
  for (std::size_t c = 0; c < a.size(); ++c) sum += std::abs(a[c] - b[c]);
  return 0.5 * sum;
}

/// Two classes with gradients (1, 0) and (0, 1), and updates along these directions.
ScoredRound two_classes(std::vector<double> products, std::vector<double> outcomes) {
  SymmetricMatrix between = SymmetricMatrix::zeros(2);
  between(0, 0) = between(1, 1) = 1.0;
  return {.products = std::move(products), .between = between, .outcomes = std::move(outcomes)};
}

TEST(ClassSharesFromScores, two_shares_give_two_classes_away_in_a_round) {
  // Of shares (.8, .2) the cosines are (.970143, .242536), and so what FLTrust gives the two is as .8 to .2.
  Stream random = stream(1);
  const std::vector<double> shares =
      class_shares_from_scores(std::vector{two_classes({1, 0, 0, 1}, {0.8, 0.2})}, 2, random);
  EXPECT_THAT(shares, ElementsAre(DoubleNear(0.8, 0.01), DoubleNear(0.2, 0.01)));
}

TEST(ClassSharesFromScores, what_nobody_earned_anything_for_says_nothing) {
  Stream random = stream(1);
  EXPECT_THAT(class_shares_from_scores(std::vector{two_classes({-1, 0, 0, -1}, {0, 0})}, 2, random), IsEmpty());
  EXPECT_THAT(class_shares_from_scores({}, 2, random), IsEmpty());
}

TEST(ClassSharesFromScores, rounds_that_are_paid_together_tell_as_their_sum) {
  // Both rounds' scores are as .8 to .2 where both submit; in a third round only the second seller does.
  std::vector<ScoredRound> rounds{two_classes({1, 0, 0, 1}, {}), two_classes({1, 0, 0, 1}, {1.6, 0.4})};
  Stream random = stream(1);
  EXPECT_THAT(class_shares_from_scores(rounds, 2, random), ElementsAre(DoubleNear(0.8, 0.01), DoubleNear(0.2, 0.01)));
  // Cosines are (.8, .6) / 1 for shares (4, 3) / 7: sums are .8 and 2 x .6.
  rounds = {two_classes({1, 0, 0, 1}, {}), two_classes({0, 0, 0, 1}, {0.8, 1.2})};
  EXPECT_THAT(class_shares_from_scores(rounds, 2, random),
              ElementsAre(DoubleNear(4.0 / 7.0, 0.01), DoubleNear(3.0 / 7.0, 0.01)));
}

TEST(ClassSharesFromScores, sums_of_many_rounds_find_the_shares_too) {
  const std::vector<double> truth{0.5, 0.2, 0.15, 0.1, 0.05};
  World world(5, 3);
  std::vector<ScoredRound> rounds;
  for (int t = 0; t < 12; ++t) {
    rounds.push_back(world.round(6, truth, [](double cosine) { return std::max(cosine, 0.0); }));
    if (t % 3 == 0) continue;
    ScoredRound& before = rounds[rounds.size() - 2];
    for (std::size_t j = 0; j < 6; ++j) rounds.back().outcomes[j] += before.outcomes[j];
    before.outcomes.clear();
  }
  Stream random = stream(1);
  EXPECT_LT(error(class_shares_from_scores(rounds, 5, random), truth), 0.03);
}

TEST(ClassSharesFromScores, factor_of_a_rounds_payments_does_not_matter) {
  World world(5, 3);
  const std::vector<double> truth{0.5, 0.2, 0.15, 0.1, 0.05};
  std::vector<ScoredRound> rounds;
  for (int t = 0; t < 3; ++t)
    rounds.push_back(world.round(6, truth, [](double cosine) { return std::max(cosine, 0.0); }));
  Stream first = stream(1), second = stream(1);
  const std::vector<double> shares = class_shares_from_scores(rounds, 5, first);
  for (std::size_t t = 0; t < rounds.size(); ++t) {
    for (double& outcome : rounds[t].outcomes) outcome *= std::pow(100.0, static_cast<double>(t));
  }
  EXPECT_LT(error(shares, class_shares_from_scores(rounds, 5, second)), 1e-4);
  EXPECT_LT(error(shares, truth), 0.02);
}

TEST(ClassSharesFromScores, permuted_payments_tell_no_more_than_a_guess) {
  World world(5, 4);
  const std::vector<double> truth{0.7, 0.1, 0.1, 0.05, 0.05}, equal(5, 0.2);
  std::vector<ScoredRound> rounds;
  for (int t = 0; t < 20; ++t) {
    rounds.push_back(world.round(8, truth, [](double cosine) { return std::max(cosine, 0.0); }));
    std::ranges::rotate(rounds.back().outcomes, rounds.back().outcomes.begin() + 3);
  }
  Stream random = stream(2);
  EXPECT_GE(error(class_shares_from_scores(rounds, 5, random), truth), error(equal, truth) - 0.05);
}

TEST(ClassSharesFromSales, signs_of_both_classes_tell_nothing) {
  EXPECT_THAT(class_shares_from_sales(std::vector{two_classes({1, 0, 0, 1}, {1, 1})}, 2, {.threshold = 0.0}),
              Each(DoubleNear(0.5, 0.01)));
  EXPECT_THAT(class_shares_from_sales({}, 2, {}), IsEmpty());
}

TEST(ClassSharesFromSales, many_rounds_of_bits_find_the_shares_and_turned_ones_find_them_later) {
  const std::vector<double> truth{0.5, 0.2, 0.15, 0.1, 0.05};
  const auto sold = [](double cosine) { return cosine > 0.2 ? 1.0 : 0.0; };
  World world(5, 5), again(5, 5);
  std::vector<ScoredRound> rounds, turned;
  Stream flips = stream(6);
  for (int t = 0; t < 40; ++t) {
    rounds.push_back(world.round(10, truth, sold));
    turned.push_back(again.round(10, truth, sold));
    for (double& outcome : turned.back().outcomes) {
      if (flips.uniform() < 0.2) outcome = 1.0 - outcome;
    }
  }
  const double known = error(class_shares_from_sales(rounds, 5, {.threshold = 0.2}), truth);
  const double found = error(class_shares_from_sales(rounds, 5, {}), truth);
  const double noisy = error(class_shares_from_sales(turned, 5, {.threshold = 0.2, .turned = 0.2}), truth);
  const double misled = error(class_shares_from_sales(turned, 5, {.threshold = 0.2}), truth);
  EXPECT_LT(known, 0.06);
  EXPECT_LT(found, 0.12);
  EXPECT_LT(noisy, 0.12);
  EXPECT_GT(noisy, known);
  EXPECT_LE(noisy, misled);
}

/// Rosenbrock's valley, whose least value is 0 at (1, 1).
TEST(Bfgs, goes_down_a_bent_valley) {
  const Smooth valley = [](std::span<const double> at, std::span<double> gradient) {
    const double a = at[1] - at[0] * at[0], b = 1.0 - at[0];
    gradient[0] = -400.0 * at[0] * a - 2.0 * b;
    gradient[1] = 200.0 * a;
    return 100.0 * a * a + b * b;
  };
  const Descent end = minimised(valley, {-1.2, 1.0});
  EXPECT_THAT(end.at, Each(DoubleNear(1.0, 1e-6)));
  EXPECT_NEAR(end.value, 0.0, 1e-12);
}

TEST(Bfgs, stays_where_it_is_flat) {
  const Smooth flat = [](std::span<const double>, std::span<double> gradient) {
    std::ranges::fill(gradient, 0.0);
    return 3.0;
  };
  EXPECT_THAT(minimised(flat, {1.0, 2.0}).at, ElementsAre(1.0, 2.0));
}

}  // namespace
}  // namespace souk::class_shares_estimate_test
