#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

#include "sim/base/contract.hpp"
#include "sim/data/graphs/shards.hpp"

namespace souk {
namespace {

/// Where a node wants to be, and how many of its neighbours are there.
struct Wish {
  std::uint32_t shard = 0;
  std::size_t neighbours = 0;
};

class LabelPropagation {
 public:
  LabelPropagation(const SparseRows& edges, std::size_t shards, std::size_t capacity, Stream& random)
      : edges_(edges), capacity_(capacity), random_(random), shard_(edges.rows()), sizes_(shards) {
    std::vector<std::uint32_t> order(edges.rows());
    std::iota(order.begin(), order.end(), 0U);
    random.shuffle(order);
    for (std::size_t i = 0; i < order.size(); ++i) put(order[i], static_cast<std::uint32_t>(i % shards));
  }

  /// Whether anybody moved.
  bool pass() {
    const std::vector<std::uint32_t> before = shard_;
    std::vector<Wish> wishes;
    std::vector<std::uint32_t> movers;
    for (std::uint32_t v = 0; v < shard_.size(); ++v) {
      wishes.push_back(wish_of(v));
      if (wishes.back().shard != shard_[v]) movers.push_back(v);
    }
    std::ranges::stable_sort(movers, std::greater(), [&](std::uint32_t v) { return wishes[v].neighbours; });
    std::vector<std::vector<std::uint32_t>> waiting(sizes_.size());  // in the order in which they came
    std::vector<std::size_t> served(sizes_.size());                  // of them
    for (const std::uint32_t v : movers) {
      const std::uint32_t to = wishes[v].shard;
      if (sizes_[to] >= capacity_) {
        waiting[to].push_back(v);
        continue;
      }
      std::uint32_t left = move(v, to);
      while (served[left] < waiting[left].size()) {  // the place that is free now
        const std::uint32_t next = waiting[left][served[left]++];
        left = move(next, left);
      }
    }
    return shard_ != before;
  }

  std::vector<std::uint32_t> shards() && { return std::move(shard_); }

 private:
  void put(std::uint32_t v, std::uint32_t shard) {
    shard_[v] = shard;
    ++sizes_[shard];
  }

  /// Returns the shard that it has left.
  std::uint32_t move(std::uint32_t v, std::uint32_t to) {
    const std::uint32_t from = shard_[v];
    --sizes_[from];
    put(v, to);
    return from;
  }

  Wish wish_of(std::uint32_t v) {
    const auto neighbours = edges_.columns.subspan(edges_.offsets[v], edges_.offsets[v + 1] - edges_.offsets[v]);
    if (neighbours.empty()) return {.shard = shard_[v]};
    around_.clear();
    best_.clear();
    for (const std::uint32_t u : neighbours) around_.push_back(shard_[u]);
    std::ranges::sort(around_);
    std::size_t most = 0;
    for (std::size_t first = 0, last = 0; first < around_.size(); first = last) {
      while (last < around_.size() && around_[last] == around_[first]) ++last;
      if (last - first > most) best_.clear();
      most = std::max(most, last - first);
      if (last - first == most) best_.push_back(around_[first]);
    }
    const std::uint32_t drawn = best_.size() == 1 ? 0 : random_.below(static_cast<std::uint32_t>(best_.size()));
    return {.shard = best_[drawn], .neighbours = most};
  }

  const SparseRows edges_;
  std::size_t capacity_;
  Stream& random_;
  std::vector<std::uint32_t> shard_;
  std::vector<std::size_t> sizes_;
  std::vector<std::uint32_t> around_, best_;  ///< of one node: shards of its neighbours, and those with most of them
};

}  // namespace

std::vector<std::uint32_t> balanced_label_propagation(const SparseRows& edges, std::size_t shards, std::size_t capacity,
                                                      std::size_t passes, Stream& random) {
  SOUK_EXPECT(capacity * shards >= edges.rows());
  LabelPropagation propagation(edges, shards, capacity, random);
  for (std::size_t pass = 0; pass < passes; ++pass) {
    if (!propagation.pass()) break;
  }
  return std::move(propagation).shards();
}

}  // namespace souk
