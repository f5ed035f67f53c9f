#include <algorithm>
#include <numeric>
#include <tuple>

#include "sim/base/contract.hpp"
#include "sim/data/graphs/shards.hpp"

namespace souk {
namespace {

constexpr std::uint32_t nowhere = 0xFFFFFFFF;

/// Points and the centroids of shards, which are kept [width, shards]: distances to all are computed side by side.
class BalancedMeans {
 public:
  BalancedMeans(std::span<const float> points, std::size_t width, std::size_t shards, Stream& random)
      : points_(points), width_(width), shards_(shards), centroids_(width * shards) {
    SOUK_EXPECT(shards <= count());
    std::vector<std::uint32_t> order(count());
    std::iota(order.begin(), order.end(), 0U);
    random.shuffle(order);
    for (std::size_t s = 0; s < shards; ++s) {
      for (std::size_t j = 0; j < width; ++j) centroids_[j * shards + s] = static_cast<double>(row(order[s])[j]);
    }
  }

  std::size_t count() const { return points_.size() / width_; }

  std::vector<std::uint32_t> assign(std::size_t capacity) const {
    struct Pair {
      double distance;
      std::uint32_t point, shard;
    };
    std::vector<Pair> pairs;
    pairs.reserve(count() * shards_);
    std::vector<double> distances(shards_);
    for (std::uint32_t i = 0; i < count(); ++i) {
      measure(i, distances);
      for (std::uint32_t s = 0; s < shards_; ++s) pairs.push_back({distances[s], i, s});
    }
    std::ranges::sort(pairs, {}, [](const Pair& p) { return std::tuple(p.distance, p.point, p.shard); });
    std::vector<std::uint32_t> shard(count(), nowhere);
    std::vector<std::size_t> sizes(shards_);
    for (const Pair& pair : pairs) {
      if (shard[pair.point] != nowhere || sizes[pair.shard] >= capacity) continue;
      shard[pair.point] = pair.shard;
      ++sizes[pair.shard];
    }
    return shard;
  }

  /// Whether any centroid moved.
  bool centre(const std::vector<std::uint32_t>& shard) {
    std::vector<double> sums(centroids_.size());
    std::vector<std::size_t> sizes(shards_);
    for (std::uint32_t i = 0; i < count(); ++i) {
      ++sizes[shard[i]];
      for (std::size_t j = 0; j < width_; ++j) sums[j * shards_ + shard[i]] += static_cast<double>(row(i)[j]);
    }
    bool moved = false;
    for (std::size_t v = 0; v < sums.size(); ++v) {
      if (sizes[v % shards_] == 0) continue;
      const double mean = sums[v] / static_cast<double>(sizes[v % shards_]);
      moved = moved || mean != centroids_[v];
      centroids_[v] = mean;
    }
    return moved;
  }

 private:
  std::span<const float> row(std::size_t i) const { return points_.subspan(i * width_, width_); }

  void measure(std::uint32_t i, std::vector<double>& distances) const {
    std::ranges::fill(distances, 0.0);
    for (std::size_t j = 0; j < width_; ++j) {
      const auto x = static_cast<double>(row(i)[j]);
      for (std::size_t s = 0; s < shards_; ++s) {
        const double d = x - centroids_[j * shards_ + s];
        distances[s] += d * d;
      }
    }
  }

  std::span<const float> points_;
  std::size_t width_, shards_;
  std::vector<double> centroids_;
};

}  // namespace

std::vector<std::uint32_t> balanced_means(std::span<const float> points, std::size_t width, std::size_t shards,
                                          std::size_t capacity, std::size_t passes, Stream& random) {
  BalancedMeans means(points, width, shards, random);
  SOUK_EXPECT(capacity * shards >= means.count());
  std::vector<std::uint32_t> shard = means.assign(capacity);
  for (std::size_t pass = 1; pass < passes && means.centre(shard); ++pass) shard = means.assign(capacity);
  return shard;
}

}  // namespace souk
