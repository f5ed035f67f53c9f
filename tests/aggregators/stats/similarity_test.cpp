#include "aggregators/stats/similarity.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/fixtures/stats_fixtures.hpp"

namespace souk::similarity_test {
namespace {

using fixtures::blobs;
using fixtures::dense;

SymmetricMatrix gram_of(const DenseMatrix& points) {
  SymmetricMatrix gram{points.rows, {}};
  for (std::size_t i = 0; i < points.rows; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = 0.0;
      for (std::size_t c = 0; c < points.columns; ++c) sum += points(i, c) * points(j, c);
      gram.lower.push_back(sum);
    }
  }
  return gram;
}

TEST(Cosines, AreThoseOfTheAngles) {
  const double half = std::sqrt(0.5);
  const SymmetricMatrix cosine = cosines(gram_of(dense(4, 2, {2, 0, 3, 3, 0, -5, -4, 0})));
  EXPECT_NEAR(cosine(0, 1), half, 1e-15);
  EXPECT_EQ(cosine(0, 2), 0.0);
  EXPECT_EQ(cosine(0, 3), -1.0);
  EXPECT_NEAR(cosine(1, 2), -half, 1e-15);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(cosine(i, i), 1.0);
}

TEST(Cosines, OfAZeroRowAreZero) {
  const SymmetricMatrix cosine = cosines(gram_of(dense(2, 2, {0, 0, 3, 4})));
  EXPECT_EQ(cosine(0, 0), 0.0);
  EXPECT_EQ(cosine(1, 0), 0.0);
  EXPECT_EQ(cosine(1, 1), 1.0);
}

TEST(Cosines, NeverLeaveTheirRange) {
  const SymmetricMatrix cosine = cosines({2, {1.0, 1.0 + 1e-9, 1.0}});  // as rounding of a Gram matrix may have it
  EXPECT_EQ(cosine(1, 0), 1.0);
}

TEST(SquaredDistances, FromTheGramMatrixAndFromPointsAgree) {
  const SymmetricMatrix from_gram = squared_distances(gram_of(blobs));
  const SymmetricMatrix from_points = squared_distances(blobs);
  for (std::size_t i = 0; i < from_points.lower.size(); ++i) {
    EXPECT_NEAR(from_gram.lower[i], from_points.lower[i], 1e-12);
  }
  EXPECT_EQ(squared_distances(dense(2, 2, {0, 1, 3, 5}))(1, 0), 25.0);
}

TEST(SquaredDistances, AreNeverNegative) {
  EXPECT_EQ(squared_distances(SymmetricMatrix{2, {1.0, 1.1, 1.0}})(1, 0), 0.0);
}

}  // namespace
}  // namespace souk::similarity_test
