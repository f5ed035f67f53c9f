#include "aggregators/stats/pca.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "tests/fixtures/stats_fixtures.hpp"

namespace souk::pca_test {
namespace {

using fixtures::dense;
using fixtures::tall;

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

TEST(DoubleCentred, IsTheGramMatrixOfCentredRows) {
  const SymmetricMatrix centred = double_centred(gram_of(dense(3, 1, {1, 2, 6})));  // centred: -2, -1, 3
  const std::vector<double> expected{4, 2, 1, -6, -3, 9};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(centred.lower[i], expected[i], 1e-13);
}

TEST(PrincipalComponents, AreScikitLearns) {
  const PrincipalComponents components = principal_components(gram_of(tall), 3);
  for (std::size_t k = 0; k < 3; ++k) {
    EXPECT_NEAR(components.variances[k], fixtures::tall_variances[k], 1e-11);
    double largest = 0.0;
    for (std::size_t i = 0; i < tall.rows; ++i) {
      const double coordinate = components.coordinates(i, k);
      EXPECT_NEAR(std::abs(coordinate), fixtures::tall_coordinates(i, k), 1e-10);
      if (std::abs(coordinate) > std::abs(largest)) largest = coordinate;
    }
    EXPECT_GT(largest, 0.0);
  }
}

TEST(PrincipalComponents, BeyondTheRankAreZero) {
  const PrincipalComponents components = principal_components(gram_of(dense(3, 2, {1, 1, 2, 2, 3, 3})), 3);
  EXPECT_NEAR(components.variances[0], 2.0, 1e-14);
  EXPECT_NEAR(components.variances[1], 0.0, 1e-14);
  EXPECT_NEAR(components.variances[2], 0.0, 1e-14);
  EXPECT_EQ(principal_components({1, {9.0}}, 1).variances[0], 0.0);  // one row: nothing varies
}

}  // namespace
}  // namespace souk::pca_test
