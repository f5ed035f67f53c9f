// How near one can come to a buyer's class shares at best, beside Fisher's information by finite differences.
#include "attacks/class_shares_limit.hpp"

#include <cmath>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

#include "sim/base/random.hpp"

namespace souk::class_shares_limit_test {
namespace {

using Vector = std::vector<double>;

ScoredRound round_of(std::size_t updates, std::size_t classes, Stream& random) {
  ScoredRound round{.products = {}, .between = SymmetricMatrix::zeros(classes), .outcomes = Vector(updates, 1.0)};
  std::vector<Vector> gradients(classes, Vector(6));
  for (Vector& gradient : gradients) {
    for (double& value : gradient) value = 0.5 + random.normal();
  }
  const auto product = [](const Vector& a, const Vector& b) {
    double sum = 0.0;
    for (std::size_t v = 0; v < a.size(); ++v) sum += a[v] * b[v];
    return sum;
  };
  for (std::size_t a = 0; a < classes; ++a) {
    for (std::size_t b = 0; b <= a; ++b) round.between(a, b) = product(gradients[a], gradients[b]);
  }
  for (std::size_t j = 0; j < updates; ++j) {
    Vector update(6);
    for (double& value : update) value = random.normal();
    const double length = std::sqrt(product(update, update));
    for (const Vector& gradient : gradients) round.products.push_back(product(update, gradient) / length);
  }
  return round;
}

/// Cosine j, by its definition.
double cosine(const ScoredRound& round, const Vector& shares, std::size_t j) {
  double product = 0.0, square = 0.0;
  for (std::size_t a = 0; a < shares.size(); ++a) {
    product += shares[a] * round.products[j * shares.size() + a];
    for (std::size_t b = 0; b < shares.size(); ++b) square += shares[a] * shares[b] * round.between(a, b);
  }
  return product / std::sqrt(square);
}

/// The inverse, by Gauss and Jordan.
std::vector<Vector> inverse(std::vector<Vector> a) {
  const std::size_t n = a.size();
  std::vector<Vector> b(n, Vector(n, 0.0));
  for (std::size_t i = 0; i < n; ++i) b[i][i] = 1.0;
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t pivot = i;
    for (std::size_t r = i; r < n; ++r) pivot = std::abs(a[r][i]) > std::abs(a[pivot][i]) ? r : pivot;
    std::swap(a[i], a[pivot]);
    std::swap(b[i], b[pivot]);
    const double factor = a[i][i];
    for (std::size_t c = 0; c < n; ++c) a[i][c] /= factor, b[i][c] /= factor;
    for (std::size_t r = 0; r < n; ++r) {
      if (r == i) continue;
      const double times = a[r][i];
      for (std::size_t c = 0; c < n; ++c) a[r][c] -= times * a[i][c], b[r][c] -= times * b[i][c];
    }
  }
  return b;
}

/// Shares of all but the last class, and then a factor for each round.
Vector shares_of(const Vector& parameters, std::size_t classes) {
  Vector shares(parameters.begin(), parameters.begin() + static_cast<std::ptrdiff_t>(classes) - 1);
  double rest = 1.0;
  for (const double share : shares) rest -= share;
  shares.push_back(rest);
  return shares;
}

/// 1/2 sqrt(2/pi) sum of the standard deviations, from Fisher's information on the parameters.
double expected_error(const std::vector<Vector>& information, std::size_t classes) {
  const std::vector<Vector> covariance = inverse(information);
  double sum = 0.0, of_last = 0.0;
  for (std::size_t a = 0; a + 1 < classes; ++a) {
    sum += std::sqrt(covariance[a][a]);
    for (std::size_t b = 0; b + 1 < classes; ++b) of_last += covariance[a][b];
  }
  return 0.5 * std::sqrt(2.0 / std::numbers::pi) * (sum + std::sqrt(of_last));
}

TEST(ClassSharesLimit, scores_tell_as_much_as_fishers_information_says) {
  Stream random(7, StreamKey{});
  const std::size_t classes = 4, updates = 5;
  const Vector truth{0.1, 0.2, 0.3, 0.4};
  const double noise = 0.1, step = 1e-5;
  std::vector<ScoredRound> rounds;
  for (int t = 0; t < 3; ++t) rounds.push_back(round_of(updates, classes, random));
  Vector parameters{0.1, 0.2, 0.3, 1.0, 1.0, 1.0};
  const auto mean = [&](const Vector& at, std::size_t t, std::size_t j) {
    return at[classes - 1 + t] * cosine(rounds[t], shares_of(at, classes), j);
  };
  std::vector<Vector> information(parameters.size(), Vector(parameters.size(), 0.0));
  for (std::size_t t = 0; t < rounds.size(); ++t) {
    for (std::size_t j = 0; j < updates; ++j) {
      Vector slope;
      for (std::size_t p = 0; p < parameters.size(); ++p) {
        Vector up = parameters, down = parameters;
        up[p] += step;
        down[p] -= step;
        slope.push_back((mean(up, t, j) - mean(down, t, j)) / (2.0 * step));
      }
      for (std::size_t a = 0; a < slope.size(); ++a) {
        for (std::size_t b = 0; b < slope.size(); ++b) information[a][b] += slope[a] * slope[b] / (noise * noise);
      }
    }
  }
  const auto limit = class_share_limit(rounds, truth, {.deviation = noise});
  ASSERT_TRUE(limit);
  EXPECT_NEAR(*limit, expected_error(information, classes), 1e-6 * *limit);
  EXPECT_NEAR(class_share_limit(rounds, truth, {.deviation = 3.0 * noise}).value(), 3.0 * *limit, 1e-9);
}

TEST(ClassSharesLimit, sales_tell_as_much_as_fishers_information_says) {
  Stream random(8, StreamKey{});
  const std::size_t classes = 3, updates = 40;
  const Vector truth{0.2, 0.3, 0.5};
  const double noise = 0.2, turned = 0.15, step = 1e-5;
  const std::vector<ScoredRound> rounds{round_of(updates, classes, random)};
  const auto sold = [&](const Vector& at, std::size_t j) {
    const double z = cosine(rounds[0], shares_of(at, classes), j) / noise;
    return turned + (1.0 - 2.0 * turned) * 0.5 * std::erfc(-z / std::numbers::sqrt2);
  };
  const Vector parameters{0.2, 0.3};
  std::vector<Vector> information(2, Vector(2, 0.0));
  for (std::size_t j = 0; j < updates; ++j) {
    Vector slope;
    for (std::size_t p = 0; p < 2; ++p) {
      Vector up = parameters, down = parameters;
      up[p] += step;
      down[p] -= step;
      slope.push_back((sold(up, j) - sold(down, j)) / (2.0 * step));
    }
    const double p = sold(parameters, j);
    for (std::size_t a = 0; a < 2; ++a) {
      for (std::size_t b = 0; b < 2; ++b) information[a][b] += slope[a] * slope[b] / (p * (1.0 - p));
    }
  }
  const auto limit = class_share_limit(rounds, truth, {.deviation = noise, .sales = true, .turned = turned});
  ASSERT_TRUE(limit);
  EXPECT_NEAR(*limit, expected_error(information, classes), 1e-5 * *limit);
  EXPECT_GT(*limit, class_share_limit(rounds, truth, {.deviation = noise, .sales = true}).value())
      << "sales that are turned round tell less";
}

TEST(ClassSharesLimit, is_not_there_where_something_remains_unknown) {
  Stream random(9, StreamKey{});
  // Two updates tell one ratio of scores, and four classes have three shares to be known.
  const std::vector<ScoredRound> few{round_of(2, 4, random)};
  EXPECT_EQ(class_share_limit(few, Vector(4, 0.25), {.deviation = 0.1}), std::nullopt);
}

}  // namespace
}  // namespace souk::class_shares_limit_test
