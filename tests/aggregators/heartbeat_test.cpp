// Rules that compute long between two exchanges show that they move: a watchdog takes a rank that computes in silence
// for stuck. Counted are beats beyond those of the passes over the updates, which have a test of their own.
#include "sim/base/heartbeat.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aggregators/stats/agglomerative.hpp"
#include "aggregators/stats/gap_statistic.hpp"
#include "aggregators/stats/gaussian_mixture.hpp"
#include "aggregators/stats/hdbscan.hpp"
#include "aggregators/stats/kmeans.hpp"
#include "aggregators/stats/mean_shift.hpp"
#include "aggregators/stats/silhouette.hpp"
#include "aggregators/stats/similarity.hpp"
#include "sim/base/random.hpp"
#include "tests/support/rule_world.hpp"

namespace souk::heartbeat_test {
namespace {

std::uint64_t beats_of(const std::function<void()>& work) {
  const std::uint64_t before = heartbeat::status().beats;
  work();
  return heartbeat::status().beats - before;
}

DenseMatrix points_of(std::size_t n) {
  DenseMatrix points(n, 2);
  Stream random(1, StreamKey{Purpose::aggregation, nobody, {1}});
  for (double& value : points.values) value = random.normal();
  return points;
}

/// Nothing of more than n^2 operations passes without a beat, for a small factor: n times as many beats as a constant.
TEST(Heartbeat, beats_once_for_every_row_of_what_clusters_do) {
  constexpr std::size_t n = 150;
  const DenseMatrix points = points_of(n);
  const SymmetricMatrix distances = squared_distances(points);
  Stream random(1, StreamKey{Purpose::aggregation, nobody, {2}});
  std::vector<double> values;
  for (std::size_t i = 0; i < n; ++i) values.push_back(points(i, 0));
  const std::vector<std::size_t> halves = agglomerative(distances, 2, Linkage::average);
  EXPECT_GE(beats_of([&] { squared_distances(points); }), n);
  EXPECT_GE(beats_of([&] { agglomerative(distances, 2, Linkage::average); }), n - 2);
  EXPECT_GE(beats_of([&] { hdbscan(distances, {}); }), 2 * n - 1);
  EXPECT_GE(beats_of([&] { mean_shift(points, 0.5); }), n);
  EXPECT_GE(beats_of([&] { estimate_bandwidth(points, 0.5); }), n);
  EXPECT_GE(beats_of([&] { mean_silhouette(distances, halves); }), n);
  EXPECT_GE(beats_of([&] { kmeans(distances, 5, random); }), 6U);
  EXPECT_GE(beats_of([&] { gaussian_mixture(points, 2, random); }), 2U);
  EXPECT_GE(beats_of([&] { gap_statistic(values, 3, 4, random); }), 5 * n);
}

/// Rules whose work between two passes grows with n^2 or more.
TEST(Heartbeat, beats_within_every_rule_that_compares_updates) {
  constexpr std::size_t n = 60;
  const Rows rows = random_rows(n, 20);
  const std::uint64_t of_mean = beats_of([&] { run_rule("mean {}", {.rows = rows, .tolerated_f = 5}); });
  for (const char* rule :
       {"krum {}", "multi_krum {}", "bulyan {}", "geometric_median {}", "mda { search: GREEDY }",
        "smea { search: GREEDY }", "caf {}", "afa {}", "clipped_clustering {}", "flame {}", "foolsgold {}",
        "signguard {}", "pre { nnm {} } mean {}", "pre { clipping { bound: 1 } } pre { nnm {} } mean {}"}) {
    // Every pass over 20 columns beats but a few times.
    const std::uint64_t beats = beats_of([&] { run_rule(rule, {.rows = rows, .tolerated_f = 5}); });
    EXPECT_GE(beats, of_mean + n) << rule;
  }
}

}  // namespace
}  // namespace souk::heartbeat_test
