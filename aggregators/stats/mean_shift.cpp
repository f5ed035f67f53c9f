#include "aggregators/stats/mean_shift.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "aggregators/stats/labels.hpp"
#include "aggregators/stats/similarity.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/heartbeat.hpp"

namespace souk {
namespace {

constexpr int shift_steps_max = 300;

struct Mode {
  std::vector<double> place;
  std::size_t points_within = 0;
};

double squared_distance_of_points(std::span<const double> a, std::span<const double> b) {
  double sum = 0.0;
  for (std::size_t c = 0; c < a.size(); ++c) sum += (a[c] - b[c]) * (a[c] - b[c]);
  return sum;
}

Mode mean_within(const DenseMatrix& points, std::span<const double> centre, double squared_bandwidth) {
  Mode result{std::vector<double>(points.columns), 0};
  for (std::size_t i = 0; i < points.rows; ++i) {
    if (squared_distance_of_points(points.row(i), centre) > squared_bandwidth) continue;
    ++result.points_within;
    for (std::size_t c = 0; c < points.columns; ++c) result.place[c] += points(i, c);
  }
  for (double& value : result.place) value /= static_cast<double>(result.points_within);
  return result;
}

/// Where the climb from `start` ends. Some point is always within, for the points of a mean are nearer to it on average
/// than to where they were found; but rounding may leave none where the bandwidth is as small as that.
Mode climb(const DenseMatrix& points, std::span<const double> start, double bandwidth) {
  Mode mode{{start.begin(), start.end()}, 0};
  for (int step = 0; step <= shift_steps_max; ++step) {
    heartbeat::beat();
    Mode next = mean_within(points, mode.place, bandwidth * bandwidth);
    if (next.points_within == 0) break;
    const double moved = std::sqrt(squared_distance_of_points(next.place, mode.place));
    mode = std::move(next);
    if (moved < 1e-3 * bandwidth) break;
  }
  return mode;
}

/// The modes that no better one is near of, best first.
std::vector<Mode> separate(std::vector<Mode> modes, double bandwidth) {
  std::sort(modes.begin(), modes.end(), [](const Mode& a, const Mode& b) {
    return a.points_within != b.points_within ? a.points_within > b.points_within : a.place > b.place;
  });
  std::vector<Mode> kept;
  for (Mode& mode : modes) {
    const bool near = std::any_of(kept.begin(), kept.end(), [&](const Mode& better) {
      return squared_distance_of_points(better.place, mode.place) <= bandwidth * bandwidth;
    });
    if (!near) kept.push_back(std::move(mode));
  }
  return kept;
}

/// The nearest mode within the bandwidth; noise where there is none.
std::size_t nearest(const std::vector<Mode>& modes, std::span<const double> point, double bandwidth) {
  std::size_t best = noise;
  double least = bandwidth * bandwidth;
  for (std::size_t k = 0; k < modes.size(); ++k) {
    const double square = squared_distance_of_points(modes[k].place, point);
    if (best == noise ? square > least : square >= least) continue;
    best = k;
    least = square;
  }
  return best;
}

std::vector<std::size_t> numbered_by_size(std::span<const std::size_t> labels) {
  std::vector<std::size_t> by_member = numbered_by_first_member(labels);
  std::vector<std::size_t> in_clusters = by_member;
  std::erase(in_clusters, noise);
  const std::vector<std::size_t> sizes = cluster_sizes(in_clusters);
  std::vector<std::size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return sizes[a] > sizes[b]; });
  std::vector<std::size_t> number(sizes.size());
  for (std::size_t k = 0; k < order.size(); ++k) number[order[k]] = k;
  for (std::size_t& label : by_member) label = label == noise ? noise : number[label];
  return by_member;
}

/// How far rounding may take the mean of equal points from them.
double rounding_of_points(const DenseMatrix& points) {
  double largest = 0.0;
  for (const double value : points.values) largest = std::max(largest, std::abs(value));
  return 1e-12 * largest;
}

}  // namespace

double estimate_bandwidth(const DenseMatrix& points, double quantile) {
  SOUK_EXPECT(points.rows >= 1 && quantile >= 0.0 && quantile <= 1.0);
  const SymmetricMatrix squared = squared_distances(points);
  const std::size_t n = points.rows;
  const std::size_t neighbours = std::max<std::size_t>(1, static_cast<std::size_t>(static_cast<double>(n) * quantile));
  double sum = 0.0;
  std::vector<double> distances(n);
  for (std::size_t i = 0; i < n; ++i) {
    heartbeat::beat();
    for (std::size_t j = 0; j < n; ++j) distances[j] = squared(i, j);
    std::sort(distances.begin(), distances.end());
    sum += std::sqrt(distances[neighbours - 1]);
  }
  return sum / static_cast<double>(n);
}

std::vector<std::size_t> mean_shift(const DenseMatrix& points, double bandwidth) {
  SOUK_EXPECT(points.rows >= 1 && bandwidth >= 0.0);
  std::vector<Mode> modes;
  for (std::size_t i = 0; i < points.rows; ++i) modes.push_back(climb(points, points.row(i), bandwidth));
  modes = separate(std::move(modes), bandwidth);
  const double reach = bandwidth + rounding_of_points(points);
  std::vector<std::size_t> labels;
  for (std::size_t i = 0; i < points.rows; ++i) labels.push_back(nearest(modes, points.row(i), reach));
  return numbered_by_size(labels);
}

}  // namespace souk
