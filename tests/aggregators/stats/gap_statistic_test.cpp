#include "aggregators/stats/gap_statistic.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aggregators/stats/kmeans_1d.hpp"
#include "sim/base/random.hpp"

namespace souk::gap_statistic_test {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

Stream stream() { return {5, StreamKey{Purpose::aggregation, {}, {}}}; }

GapStatistic gap_of(const std::vector<double>& values, std::size_t k_max, std::size_t references = 20) {
  Stream random = stream();
  return gap_statistic(values, k_max, references, random);
}

std::vector<double> groups(const std::vector<double>& centres, std::size_t each) {
  Stream random(6, StreamKey{Purpose::aggregation, {}, {}});
  std::vector<double> values;
  for (std::size_t i = 0; i < each * centres.size(); ++i) {
    values.push_back(centres[i % centres.size()] + 0.02 * random.normal());
  }
  return values;
}

TEST(GapStatistic, IsItsDefinition) {
  const std::vector<double> values{0.3, -1.0, 2.5, 2.4, 0.2, 1.9};
  const std::size_t references = 4;
  const GapStatistic statistic = gap_of(values, 3, references);
  Stream random = stream();
  std::vector<std::vector<double>> sets(references, std::vector<double>(6));
  for (auto& set : sets) {
    for (double& value : set) value = -1.0 + 3.5 * random.uniform();
  }
  for (std::size_t k = 1; k <= 3; ++k) {
    double mean = 0.0;
    double squares = 0.0;
    for (const auto& set : sets) {
      const double log_dispersion = std::log(kmeans_1d(set, k).dispersion);
      mean += log_dispersion / 4.0;
      squares += log_dispersion * log_dispersion / 4.0;
    }
    EXPECT_NEAR(statistic.gaps[k - 1], mean - std::log(kmeans_1d(values, k).dispersion), 1e-12);
    EXPECT_NEAR(statistic.errors[k - 1], std::sqrt(squares - mean * mean) * std::sqrt(1.25), 1e-10);
  }
}

TEST(GapStatistic, FindsTheGroupsThatThereAre) {
  EXPECT_EQ(first_by_gap(gap_of(groups({0.0, 1.0}, 20), 6)), 2U);
  EXPECT_EQ(first_by_gap(gap_of(groups({0.0, 1.0, 2.5}, 20), 6)), 3U);
  EXPECT_EQ(largest_by_gap(gap_of(groups({0.0, 1.0, 2.5}, 20), 6)), 3U);
}

TEST(GapStatistic, FindsOneGroupInUniformValues) {
  Stream random(8, StreamKey{Purpose::aggregation, {}, {}});
  std::vector<double> values(50);
  for (double& value : values) value = random.uniform();
  EXPECT_EQ(first_by_gap(gap_of(values, 5)), 1U);
}

TEST(GapStatistic, OfEqualValuesIsOneCluster) {
  for (const std::size_t n : {1, 2, 7}) {
    const GapStatistic statistic = gap_of(std::vector<double>(n, 0.1), 4);
    EXPECT_THAT(statistic.gaps, ElementsAre(0.0));
    EXPECT_EQ(first_by_gap(statistic), 1U);
    EXPECT_EQ(largest_by_gap(statistic), 1U);
  }
}

TEST(GapStatistic, OfFewDistinctValuesEndsWhereTheyFitExactly) {
  const GapStatistic statistic = gap_of({0, 0, 0, 1, 1, 1, 1}, 5);
  EXPECT_THAT(statistic.gaps, SizeIs(2));
  EXPECT_EQ(first_by_gap(statistic), 2U);
  EXPECT_EQ(largest_by_gap(statistic), 2U);
}

TEST(GapStatistic, NeverPutsEveryValueInAClusterOfItsOwn) {
  EXPECT_THAT(gap_of({0.0, 1.0}, 5).gaps, SizeIs(1));
  EXPECT_THAT(gap_of({0.0, 1.0, 3.0}, 5).gaps, SizeIs(2));
}

TEST(GapStatistic, IsFiniteForValuesOneUnitInTheLastPlaceApart) {
  const GapStatistic statistic = gap_of({1.0, 1.0, std::nextafter(1.0, 2.0), 1.0}, 3);
  EXPECT_TRUE(std::isfinite(statistic.gaps.front()));
}

TEST(GapStatistic, ChoicesFollowTheirRules) {
  const GapStatistic statistic{.gaps = {0.1, 0.5, 0.45, 0.9}, .errors = {0.0, 0.1, 0.1, 0.1}};
  EXPECT_EQ(first_by_gap(statistic), 2U);
  EXPECT_EQ(largest_by_gap(statistic), 4U);
  EXPECT_EQ(first_by_gap({.gaps = {0.1, 0.15}, .errors = {0.0, 0.06}}), 1U);  // within the error
  EXPECT_EQ(first_by_gap({.gaps = {0.0, 1.0, 2.0}, .errors = {0.0, 0.0, 0.0}}), 3U);
}

}  // namespace
}  // namespace souk::gap_statistic_test
