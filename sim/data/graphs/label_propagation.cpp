#include <algorithm>
#include <deque>
#include <functional>
#include <numeric>

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
      : edges_(edges), capacity_(capacity), random_(random), shard_(edges.rows()), sizes_(shards), counts_(shards) {
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
    std::vector<std::deque<std::uint32_t>> waiting(sizes_.size());
    for (const std::uint32_t v : movers) {
      const std::uint32_t to = wishes[v].shard;
      if (sizes_[to] >= capacity_) {
        waiting[to].push_back(v);
        continue;
      }
      std::uint32_t left = move(v, to);
      while (!waiting[left].empty()) {  // the place that is free now
        const std::uint32_t next = waiting[left].front();
        waiting[left].pop_front();
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
    std::ranges::fill(counts_, 0);
    for (const std::uint32_t u : neighbours) ++counts_[shard_[u]];
    const std::size_t most = std::ranges::max(counts_);
    std::vector<std::uint32_t> best;
    for (std::uint32_t s = 0; s < counts_.size(); ++s) {
      if (counts_[s] == most) best.push_back(s);
    }
    const std::uint32_t drawn = best.size() == 1 ? 0 : random_.below(static_cast<std::uint32_t>(best.size()));
    return {.shard = best[drawn], .neighbours = most};
  }

  const SparseRows edges_;
  std::size_t capacity_;
  Stream& random_;
  std::vector<std::uint32_t> shard_;
  std::vector<std::size_t> sizes_, counts_;
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
