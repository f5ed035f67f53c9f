#include "sim/params/lbfgs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/random.hpp"
#include "tests/fixtures/stats_fixtures.hpp"

namespace souk::lbfgs_test {
namespace {

using testing::Each;

using Vector = std::vector<double>;

double inner(const Vector& a, const Vector& b) {
  double sum = 0.0;
  for (std::size_t c = 0; c < a.size(); ++c) sum += a[c] * b[c];
  return sum;
}

struct Pairs {
  std::vector<Vector> s, y;
};

Vector times(const DenseMatrix& matrix, const Vector& v) {
  Vector result;
  for (std::size_t i = 0; i < matrix.rows; ++i)
    result.push_back(inner({matrix.row(i).begin(), matrix.row(i).end()}, v));
  return result;
}

/// B v by the recursion of BFGS on the whole matrix: B <- B - B s s^T B / s^T B s + y y^T / y^T s.
Vector by_recursion(const Pairs& pairs, const Vector& v) {
  const std::size_t d = v.size();
  DenseMatrix b(d, d);
  for (std::size_t i = 0; i < d; ++i)
    b(i, i) = inner(pairs.s.back(), pairs.y.back()) / inner(pairs.s.back(), pairs.s.back());
  for (std::size_t k = 0; k < pairs.s.size(); ++k) {
    const Vector bs = times(b, pairs.s[k]);
    const Vector& y = pairs.y[k];
    const double sbs = inner(pairs.s[k], bs);
    const double ys = inner(y, pairs.s[k]);
    for (std::size_t i = 0; i < d; ++i) {
      for (std::size_t j = 0; j < d; ++j) b(i, j) += y[i] * y[j] / ys - bs[i] * bs[j] / sbs;
    }
  }
  return times(b, v);
}

LbfgsProduct coefficients(const Pairs& pairs, const Vector& v) {
  const std::size_t n = pairs.s.size();
  DenseMatrix ss(n, n), sy(n, n);
  Vector sv, yv;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      ss(i, j) = inner(pairs.s[i], pairs.s[j]);
      sy(i, j) = inner(pairs.s[i], pairs.y[j]);
    }
    sv.push_back(inner(pairs.s[i], v));
    yv.push_back(inner(pairs.y[i], v));
  }
  return lbfgs_product(ss, sy, sv, yv);
}

Vector combined(const Pairs& pairs, const Vector& v) {
  const LbfgsProduct product = coefficients(pairs, v);
  Vector result;
  for (std::size_t c = 0; c < v.size(); ++c) {
    double sum = product.sigma * v[c];
    for (std::size_t i = 0; i < pairs.s.size(); ++i) {
      sum += product.s[i] * pairs.s[i][c] + product.y[i] * pairs.y[i][c];
    }
    result.push_back(sum);
  }
  return result;
}

Vector random_vector(std::size_t d, Stream& random, double scale = 1.0) {
  Vector v(d);
  for (double& value : v) value = scale * random.normal();
  return v;
}

/// Steps of mixed lengths on a quadratic whose Hessian is diag(1, …, d).
Pairs pairs_of_quadratic(std::size_t n, std::size_t d, Stream& random) {
  Pairs pairs;
  for (std::size_t k = 0; k < n; ++k) {
    pairs.s.push_back(random_vector(d, random, k % 2 == 0 ? 1.0 : 1e-4));
    Vector y = pairs.s.back();
    for (std::size_t c = 0; c < d; ++c) y[c] *= static_cast<double>(c + 1);
    pairs.y.push_back(y);
  }
  return pairs;
}

void expect_near(const Vector& result, const Vector& expected, double tolerance) {
  ASSERT_EQ(result.size(), expected.size());
  for (std::size_t c = 0; c < result.size(); ++c) EXPECT_NEAR(result[c], expected[c], tolerance);
}

TEST(Lbfgs, IsTheRecursionOfBfgs) {
  for (const std::size_t n : {1, 2, 3, 6}) {
    Stream random(n, StreamKey{Purpose::aggregation, {}, {}});
    const Pairs pairs = pairs_of_quadratic(n, 8, random);
    const Vector v = random_vector(8, random);
    expect_near(combined(pairs, v), by_recursion(pairs, v), 1e-8);
  }
}

TEST(Lbfgs, MapsTheNewestStepToItsChangeOfTheGradient) {
  Stream random(9, StreamKey{Purpose::aggregation, {}, {}});
  const Pairs pairs = pairs_of_quadratic(4, 6, random);
  expect_near(combined(pairs, pairs.s.back()), pairs.y.back(), 1e-10);
}

TEST(Lbfgs, LeavesOutPairsWithoutAStep) {
  Stream random(10, StreamKey{Purpose::aggregation, {}, {}});
  Pairs pairs = pairs_of_quadratic(2, 5, random);
  const Vector v = random_vector(5, random);
  const Vector without = combined(pairs, v);
  pairs.s.push_back(Vector(5, 0.0));
  pairs.y.push_back(Vector(5, 0.0));
  expect_near(combined(pairs, v), without, 1e-12);
}

TEST(Lbfgs, LeavesOutTheOldestPairsWhereTheyAreDependent) {
  Stream random(11, StreamKey{Purpose::aggregation, {}, {}});
  const Pairs once = pairs_of_quadratic(1, 5, random);
  const Pairs twice{{once.s[0], once.s[0]}, {once.y[0], once.y[0]}};
  const Vector v = random_vector(5, random);
  expect_near(combined(twice, v), combined(once, v), 1e-9);
}

TEST(Lbfgs, OfNothingIsZero) {
  const LbfgsProduct product = coefficients({{{0.0, 0.0}}, {{1.0, 2.0}}}, {3.0, 4.0});
  EXPECT_EQ(product.sigma, 0.0);
  EXPECT_THAT(product.s, Each(0.0));
  EXPECT_THAT(product.y, Each(0.0));
  EXPECT_EQ(lbfgs_product({}, {}, {}, {}).sigma, 0.0);
}

}  // namespace
}  // namespace souk::lbfgs_test
