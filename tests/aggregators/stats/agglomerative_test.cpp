#include "aggregators/stats/agglomerative.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aggregators/stats/labels.hpp"
#include "aggregators/stats/similarity.hpp"
#include "tests/fixtures/stats_fixtures.hpp"

namespace souk::agglomerative_test {
namespace {

using testing::Each;
using testing::ElementsAre;

SymmetricMatrix distances_of(const DenseMatrix& points) {
  SymmetricMatrix distances = squared_distances(points);
  for (double& value : distances.lower) value = std::sqrt(value);
  return distances;
}

TEST(Agglomerative, FindsScikitLearnsClusters) {
  using namespace fixtures;
  const SymmetricMatrix distances = distances_of(blobs);
  const auto expect = [&](Linkage linkage, std::size_t k, const std::vector<std::size_t>& labels) {
    EXPECT_EQ(agglomerative(distances, k, linkage), numbered_by_first_member(labels)) << k;
  };
  expect(Linkage::average, 2, agglomerative_average_2);
  expect(Linkage::average, 4, agglomerative_average_4);
  expect(Linkage::average, 9, agglomerative_average_9);
  expect(Linkage::complete, 2, agglomerative_complete_2);
  expect(Linkage::complete, 4, agglomerative_complete_4);
  expect(Linkage::complete, 9, agglomerative_complete_9);
  expect(Linkage::single, 2, agglomerative_single_2);
  expect(Linkage::single, 4, agglomerative_single_4);
  expect(Linkage::single, 9, agglomerative_single_9);
  EXPECT_THAT(agglomerative(distances, 1, Linkage::average), Each(0U));
}

TEST(Agglomerative, BreaksTiesByTheSmallestIndices) {
  const SymmetricMatrix line = distances_of(fixtures::dense(4, 1, {0, 1, 2, 3}));
  EXPECT_THAT(agglomerative(line, 3, Linkage::average), ElementsAre(0, 0, 1, 2));
  EXPECT_THAT(agglomerative(line, 2, Linkage::complete), ElementsAre(0, 0, 1, 1));
  const SymmetricMatrix equal = distances_of(fixtures::dense(4, 1, {5, 5, 5, 5}));
  EXPECT_THAT(agglomerative(equal, 2, Linkage::single), ElementsAre(0, 0, 0, 1));
}

TEST(Agglomerative, LinkagesDiffer) {
  const SymmetricMatrix chain = distances_of(fixtures::dense(5, 1, {0, 1, 2.1, 3.3, 4.6}));
  EXPECT_THAT(agglomerative(chain, 2, Linkage::single), ElementsAre(0, 0, 0, 0, 1));
  EXPECT_THAT(agglomerative(chain, 2, Linkage::complete), ElementsAre(0, 0, 1, 1, 1));
}

TEST(Agglomerative, LeavesPointsAloneIfAsked) {
  EXPECT_THAT(agglomerative(distances_of(fixtures::dense(3, 1, {5, 1, 9})), 3, Linkage::average), ElementsAre(0, 1, 2));
  EXPECT_THAT(agglomerative(distances_of(fixtures::dense(1, 1, {5})), 1, Linkage::average), ElementsAre(0));
}

}  // namespace
}  // namespace souk::agglomerative_test
