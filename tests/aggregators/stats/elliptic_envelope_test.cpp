#include "aggregators/stats/elliptic_envelope.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/random.hpp"
#include "tests/fixtures/stats_fixtures.hpp"

namespace souk::elliptic_envelope_test {
namespace {

using fixtures::cloud;
using fixtures::dense;
using testing::ElementsAre;
using testing::IsEmpty;

EllipticEnvelope envelope_of(const DenseMatrix& points, double contamination = 0.1) {
  Stream random(1, StreamKey{Purpose::aggregation, {}, {}});
  return elliptic_envelope(points, {.contamination = contamination, .support_fraction = {}}, random);
}

TEST(EllipticEnvelope, IsScikitLearns) {
  const EllipticEnvelope tenth = envelope_of(cloud, 0.1);
  const EllipticEnvelope quarter = envelope_of(cloud, 0.25);
  for (std::size_t i = 0; i < cloud.rows; ++i) {
    EXPECT_NEAR(tenth.squared_distances[i], fixtures::envelope_distances_10[i],
                1e-9 * fixtures::envelope_distances_10[i]);
  }
  EXPECT_EQ(tenth.outliers, fixtures::envelope_outliers_10);
  EXPECT_EQ(quarter.outliers, fixtures::envelope_outliers_25);
}

/// 4 of 20 points displaced by `distance` in every one of `dimensions`.
DenseMatrix with_displaced(std::size_t dimensions, double distance) {
  Stream random(2, StreamKey{Purpose::aggregation, {}, {}});
  DenseMatrix points(20, dimensions);
  for (std::size_t i = 0; i < 20; ++i) {
    for (double& value : points.row(i)) value = random.normal() + (i % 5 == 1 ? distance : 0.0);
  }
  return points;
}

TEST(EllipticEnvelope, FindsOutliersInMoreDimensionsThanPoints) {
  EXPECT_THAT(envelope_of(with_displaced(100, 3.0), 0.2).outliers, ElementsAre(1, 6, 11, 16));
}

TEST(EllipticEnvelope, FindsOutliersInOneDimension) {
  EXPECT_THAT(envelope_of(with_displaced(1, 20.0), 0.2).outliers, ElementsAre(1, 6, 11, 16));
}

TEST(EllipticEnvelope, DoesNotChangeWithUnits) {
  DenseMatrix scaled = cloud;
  for (std::size_t i = 0; i < scaled.rows; ++i) scaled(i, 1) = 1024.0 * scaled(i, 1) + 4096.0;
  const EllipticEnvelope before = envelope_of(cloud);
  const EllipticEnvelope after = envelope_of(scaled);
  for (std::size_t i = 0; i < cloud.rows; ++i) {
    EXPECT_NEAR(after.squared_distances[i], before.squared_distances[i], 1e-6 * before.squared_distances[i]);
  }
}

TEST(EllipticEnvelope, OfEqualPointsFindsNone) {
  const EllipticEnvelope equal = envelope_of(dense(4, 2, {1, 2, 1, 2, 1, 2, 1, 2}));
  EXPECT_THAT(equal.outliers, IsEmpty());
  EXPECT_THAT(equal.squared_distances, ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(envelope_of(dense(1, 2, {1, 2})).outliers, IsEmpty());
}

TEST(EllipticEnvelope, FindsWhoLeavesASubspace) {
  DenseMatrix points(20, 2);  // on a line but for two
  for (std::size_t i = 0; i < 20; ++i) points(i, 0) = points(i, 1) = static_cast<double>(i * i % 17);
  points(3, 1) += 1.0;
  points(12, 0) += 2.0;
  const EllipticEnvelope envelope = envelope_of(points);
  EXPECT_THAT(envelope.outliers, ElementsAre(3, 12));
  for (const double distance : envelope.squared_distances) EXPECT_TRUE(std::isfinite(distance));
  EXPECT_THAT(envelope_of(dense(6, 1, {5, 5, 5, 5, 5, 6})).outliers, ElementsAre(5));
}

TEST(EllipticEnvelope, WithoutContaminationFindsNone) { EXPECT_THAT(envelope_of(cloud, 0.0).outliers, IsEmpty()); }

TEST(EllipticEnvelope, OfAllPointsIsClassical) {
  Stream random(1, StreamKey{Purpose::aggregation, {}, {}});
  const DenseMatrix points = dense(5, 1, {-2, -1, 0, 1, 2});  // variance 2, nobody re-weighted away
  const EllipticEnvelope envelope = elliptic_envelope(points, {.contamination = 0.2, .support_fraction = 1.0}, random);
  EXPECT_THAT(envelope.squared_distances, ElementsAre(testing::DoubleNear(2.0, 1e-12), testing::DoubleNear(0.5, 1e-12),
                                                      testing::DoubleNear(0.0, 1e-12), testing::DoubleNear(0.5, 1e-12),
                                                      testing::DoubleNear(2.0, 1e-12)));
}

}  // namespace
}  // namespace souk::elliptic_envelope_test
