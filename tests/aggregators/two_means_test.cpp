#include "aggregators/two_means.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "aggregators/stats/kmeans_1d.hpp"
#include "sim/base/random.hpp"

namespace souk::two_means_test {
namespace {

/// Tiles against dynamic programming, column by column.
void expect_exact(std::size_t rows, const auto& value) {
  std::vector<float> tile(rows * tile_columns);
  std::vector<std::vector<double>> columns(tile_columns);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t c = 0; c < tile_columns; ++c) {
      tile[i * tile_columns + c] = value();
      columns[c].push_back(static_cast<double>(tile[i * tile_columns + c]));
    }
  }
  const TwoMeans split = ColumnTwoMeans(rows).split(tile.data());
  for (std::size_t c = 0; c < tile_columns; ++c) {
    const KMeans1d expected = kmeans_1d(columns[c], 2);
    const bool one = expected.centroids.size() == 1;
    const double distance = one ? 0.0 : expected.centroids[1] - expected.centroids[0];
    EXPECT_NEAR(split.distance[c], distance, 1e-11 * distance) << rows;
    for (std::size_t i = 0; i < rows && !one; ++i) {
      EXPECT_EQ(columns[c][i] <= static_cast<double>(split.cut[c]), expected.labels[i] == 0) << rows;
    }
    EXPECT_EQ(split.low_count[c],
              one ? 0.0 : static_cast<double>(std::count(expected.labels.begin(), expected.labels.end(), 0U)));
  }
}

TEST(TwoMeans, are_exact_for_any_number_of_rows) {
  Stream random(3, StreamKey{Purpose::aggregation, nobody, {1}});
  for (std::size_t rows = 1; rows <= 40; ++rows)
    expect_exact(rows, [&] { return static_cast<float>(random.normal()); });
  for (const std::size_t rows : {63U, 64U, 65U, 100U, 129U}) {
    expect_exact(rows, [&] { return static_cast<float>(random.normal()); });
  }
}

/// Size of the lower cluster by trying all cuts between different values, in integers: with s the sum of the k lowest
/// and t that of all, the best has the largest (n s - k t)^2 / (k (n - k)), and of several the smallest k.
std::int64_t best_cut(std::vector<std::int64_t> values) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<std::int64_t>(values.size());
  const std::int64_t total = std::accumulate(values.begin(), values.end(), std::int64_t{0});
  std::int64_t best = 0, gain = 0, per = 1, sum = 0;
  for (std::int64_t k = 1; k < n; ++k) {
    sum += values[static_cast<std::size_t>(k - 1)];
    const std::int64_t square = (n * sum - k * total) * (n * sum - k * total);
    const bool cuts = values[static_cast<std::size_t>(k - 1)] < values[static_cast<std::size_t>(k)];
    if (cuts && square * per > gain * (k * (n - k))) {
      best = k;
      gain = square;
      per = k * (n - k);
    }
  }
  return best;
}

TEST(TwoMeans, keep_equal_values_together_and_the_higher_cluster_larger) {
  Stream random(4, StreamKey{Purpose::aggregation, nobody, {1}});
  for (std::size_t rows = 1; rows <= 12; ++rows) {
    for (int repeat = 0; repeat < 20; ++repeat) {
      std::vector<float> tile(rows * tile_columns);
      std::vector<std::vector<std::int64_t>> columns(tile_columns);
      for (std::size_t v = 0; v < tile.size(); ++v) {
        columns[v % tile_columns].push_back(static_cast<std::int64_t>(random.below(4)) - 1);
        tile[v] = static_cast<float>(columns[v % tile_columns].back());
      }
      const TwoMeans split = ColumnTwoMeans(rows).split(tile.data());
      for (std::size_t c = 0; c < tile_columns; ++c) {
        EXPECT_EQ(split.low_count[c], static_cast<double>(best_cut(columns[c]))) << rows;
      }
    }
  }
}

TEST(TwoMeans, tell_apart_large_values_that_are_close_together) {
  Stream random(5, StreamKey{Purpose::aggregation, nobody, {1}});
  expect_exact(20, [&] { return 16777216.0F + 2.0F * static_cast<float>(random.below(1000)); });
  expect_exact(20, [&] { return static_cast<float>(1e37 * random.normal()); });
}

}  // namespace
}  // namespace souk::two_means_test
