#include "aggregators/stats/hdbscan.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aggregators/stats/similarity.hpp"
#include "sim/base/random.hpp"
#include "tests/fixtures/stats_fixtures.hpp"

namespace souk::hdbscan_test {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

using Members = std::vector<std::size_t>;

SymmetricMatrix distances_of(const DenseMatrix& points) {
  SymmetricMatrix distances = squared_distances(points);
  for (double& value : distances.lower) value = std::sqrt(value);
  return distances;
}

/// Groups of points in the plane and some points between them.
DenseMatrix random_points(std::size_t n, std::uint64_t seed, bool with_ties = false) {
  Stream random(seed, StreamKey{Purpose::aggregation, {}, {}});
  DenseMatrix points(n, 2);
  const std::size_t groups = 1 + random.below(4);
  for (std::size_t i = 0; i < n; ++i) {
    const double centre = 5.0 * random.below(static_cast<std::uint32_t>(groups));
    for (double& value : points.row(i)) {
      value = random.below(5) == 0 ? 20.0 * random.uniform() : centre + random.normal();
      if (with_ties) value = std::round(value);
    }
  }
  return points;
}

/// HDBSCAN from its definition, top down: components of the graph of pairs nearer than r, for falling r. No spanning
/// tree, no binary hierarchy.
class Definition {
 public:
  Definition(const SymmetricMatrix& distances, HdbscanSettings settings) : settings_(settings), reach_(distances) {
    const std::size_t n = distances.order;
    std::vector<double> cores;
    for (std::size_t i = 0; i < n; ++i) {
      std::vector<double> row;
      for (std::size_t j = 0; j < n; ++j) row.push_back(distances(i, j));
      std::sort(row.begin(), row.end());
      cores.push_back(row[std::min(settings.min_samples, n - 1)]);
    }
    std::size_t entry = 0;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j <= i; ++j, ++entry) {
        reach_.lower[entry] = std::max({reach_.lower[entry], cores[i], cores[j]});
      }
    }
  }

  std::vector<std::size_t> labels() {
    const std::size_t n = reach_.order;
    Members all(n);
    std::iota(all.begin(), all.end(), std::size_t{0});
    const Choice root = choose(all, 0.0);
    Choice chosen = root;
    if (!settings_.allow_single_cluster) chosen.clusters = root.below;
    std::vector<std::size_t> labels(n, noise);
    for (std::size_t c = 0; c < chosen.clusters.size(); ++c) {
      for (const std::size_t i : chosen.clusters[c]) labels[i] = c;
    }
    return numbered_by_first_member(labels);
  }

 private:
  struct Choice {
    double stability = 0.0;
    std::vector<Members> clusters;  ///< the best choice in this branch
    std::vector<Members> below;     ///< the best without the branch's own cluster
  };

  std::vector<Members> components(const Members& members, double below) const {
    std::set<std::size_t> left(members.begin(), members.end());
    std::vector<Members> result;
    while (!left.empty()) {
      Members component{*left.begin()};
      left.erase(left.begin());
      for (std::size_t k = 0; k < component.size(); ++k) {
        for (auto j = left.begin(); j != left.end();) {
          if (reach_(component[k], *j) < below) {
            component.push_back(*j);
            j = left.erase(j);
          } else {
            ++j;
          }
        }
      }
      result.push_back(component);
    }
    return result;
  }

  /// The cluster that is born at lambda `birth` with these members, followed down to where it splits or dies.
  Choice choose(const Members& born, double birth) const {
    std::set<double, std::greater<>> lengths;
    for (const std::size_t i : born) {
      for (const std::size_t j : born) {
        if (i != j) lengths.insert(reach_(i, j));
      }
    }
    Members members = born;
    double stability = 0.0;
    Members last;  // who is there when it ends
    Choice choice;
    for (const double length : lengths) {
      std::vector<Members> big;
      std::size_t kept = 0;
      for (const Members& component : components(members, length)) {
        if (component.size() < settings_.min_cluster_size) continue;
        big.push_back(component);
        kept += component.size();
      }
      last = members;
      if (big.size() == 1) {
        stability += static_cast<double>(members.size() - kept) * (1.0 / length - birth);
        members = big.front();
        continue;
      }
      stability += static_cast<double>(members.size()) * (1.0 / length - birth);
      double children = 0.0;
      for (const Members& child : big) {
        const Choice best = choose(child, 1.0 / length);
        children += best.stability;
        choice.below.insert(choice.below.end(), best.clusters.begin(), best.clusters.end());
      }
      choice.stability = std::max(stability, children);
      choice.clusters = choice.below;
      if (stability >= children) choice.clusters = {birth == 0.0 ? last : born};  // of the root only those who stay
      return choice;
    }
    return choice;
  }

  HdbscanSettings settings_;
  SymmetricMatrix reach_;
};

TEST(Hdbscan, IsItsDefinition) {
  std::size_t clusters = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const SymmetricMatrix distances = distances_of(random_points(12 + seed, seed));
    for (const std::size_t size : {2, 3, 5, 9}) {
      for (const std::size_t samples : {1, 3}) {
        for (const bool single : {false, true}) {
          const HdbscanSettings settings{size, samples, single};
          const std::vector<std::size_t> labels = hdbscan(distances, settings);
          EXPECT_EQ(labels, Definition(distances, settings).labels()) << seed << ' ' << size << ' ' << samples;
          clusters += static_cast<std::size_t>(
              std::count_if(labels.begin(), labels.end(), [](std::size_t label) { return label == 1; }));
        }
      }
    }
  }
  EXPECT_GT(clusters, 100U) << "some of the data must have several clusters";
}

TEST(Hdbscan, SeparatesTwoGroupsFromNoise) {
  const SymmetricMatrix distances =
      distances_of(fixtures::dense(9, 1, {0, 0.1, 0.25, 0.3, 10, 10.2, 10.25, 10.35, 500}));
  EXPECT_THAT(hdbscan(distances, {.min_cluster_size = 3, .min_samples = 1}),
              ElementsAre(0, 0, 0, 0, 1, 1, 1, 1, noise));
}

TEST(Hdbscan, PrefersTheWholeToEquallyStableParts) {
  // The root: 4 points up to lambda 1. Its parts: 2 points each from 1 to 2.
  const SymmetricMatrix distances = distances_of(fixtures::dense(4, 1, {0, 0.5, 1.5, 2}));
  EXPECT_THAT(hdbscan(distances, {.min_cluster_size = 2, .min_samples = 1, .allow_single_cluster = true}), Each(0U));
  EXPECT_THAT(hdbscan(distances, {.min_cluster_size = 2, .min_samples = 1}), ElementsAre(0, 0, 1, 1));
}

TEST(Hdbscan, OfFewPointsIsNoise) {
  EXPECT_THAT(hdbscan(distances_of(fixtures::dense(1, 1, {1})), {}), ElementsAre(noise));
  EXPECT_THAT(hdbscan(distances_of(fixtures::dense(3, 1, {1, 2, 3})), {}), Each(noise));
}

TEST(Hdbscan, TakesDuplicatesForNearestOfAll) {
  const SymmetricMatrix distances = distances_of(fixtures::dense(8, 1, {1, 1, 1, 7, 7, 7, 7, 4}));
  EXPECT_THAT(hdbscan(distances, {.min_cluster_size = 3, .min_samples = 2}), ElementsAre(0, 0, 0, 1, 1, 1, 1, noise));
  const SymmetricMatrix equal = distances_of(fixtures::dense(4, 1, {2, 2, 2, 2}));
  EXPECT_THAT(hdbscan(equal, {.min_cluster_size = 2, .min_samples = 1, .allow_single_cluster = true}), Each(0U));
}

TEST(Hdbscan, DoesNotDependOnTheOrderOfPointsEvenWithTies) {
  const SymmetricMatrix line = distances_of(fixtures::dense(7, 1, {0, 1, 2, 4, 6, 7, 8}));
  const HdbscanSettings settings{.min_cluster_size = 3, .min_samples = 1};
  EXPECT_THAT(hdbscan(line, settings), ElementsAre(0, 0, 0, noise, 1, 1, 1));
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const DenseMatrix points = random_points(20, seed, true);
    DenseMatrix reversed(20, 2);
    for (std::size_t i = 0; i < 20; ++i) std::copy_n(points.row(19 - i).begin(), 2, reversed.row(i).begin());
    std::vector<std::size_t> labels = hdbscan(distances_of(reversed), settings);
    std::reverse(labels.begin(), labels.end());
    EXPECT_EQ(numbered_by_first_member(labels), hdbscan(distances_of(points), settings)) << seed;
  }
}

/// Kruskal's way: the whole component, at the smallest distance at which one has more than half of the points.
Members first_majority_component(const SymmetricMatrix& distances) {
  std::set<double> lengths(distances.lower.begin(), distances.lower.end());
  const std::size_t n = distances.order;
  for (const double length : lengths) {
    for (std::size_t start = 0; start < n; ++start) {
      Members component{start};
      std::vector<bool> in(n, false);
      in[start] = true;
      for (std::size_t k = 0; k < component.size(); ++k) {
        for (std::size_t j = 0; j < n; ++j) {
          if (in[j] || distances(component[k], j) > length) continue;
          in[j] = true;
          component.push_back(j);
        }
      }
      std::sort(component.begin(), component.end());
      if (component.size() >= n / 2 + 1) return component;
    }
  }
  return {};
}

TEST(MajorityCluster, IsTheFirstComponentWithMoreThanHalfOfThePoints) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    for (const bool ties : {false, true}) {
      const SymmetricMatrix distances = distances_of(random_points(1 + seed % 23, seed, ties));
      EXPECT_EQ(majority_cluster(distances), first_majority_component(distances)) << seed << ' ' << ties;
    }
  }
}

TEST(MajorityCluster, LeavesOutWhoComesLater) {
  EXPECT_THAT(majority_cluster(distances_of(fixtures::dense(5, 1, {0, 1, 2, 4, 9}))), ElementsAre(0, 1, 2));
  EXPECT_THAT(majority_cluster(distances_of(fixtures::dense(5, 1, {0, 1, 2, 3, 9}))),
              ElementsAre(0, 1, 2, 3));  // a tie
}

TEST(MajorityCluster, OfOneTwoOrEqualPointsIsAll) {
  EXPECT_THAT(majority_cluster(distances_of(fixtures::dense(1, 1, {3}))), ElementsAre(0));
  EXPECT_THAT(majority_cluster(distances_of(fixtures::dense(2, 1, {3, 8}))), ElementsAre(0, 1));
  EXPECT_THAT(majority_cluster(distances_of(fixtures::dense(4, 1, {3, 3, 3, 3}))), UnorderedElementsAre(0, 1, 2, 3));
}

}  // namespace
}  // namespace souk::hdbscan_test
