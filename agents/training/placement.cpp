#include "agents/training/placement.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <queue>
#include <utility>

namespace souk {

std::vector<int> place_longest_first(std::span<const double> costs, int ranks) {
  std::vector<std::size_t> order(costs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return costs[a] > costs[b]; });
  using Load = std::pair<double, int>;
  std::priority_queue<Load, std::vector<Load>, std::greater<>> lightest;
  for (int r = 0; r < ranks; ++r) lightest.emplace(0.0, r);
  std::vector<int> place(costs.size());
  for (const std::size_t piece : order) {
    const auto [load, rank] = lightest.top();
    lightest.pop();
    place[piece] = rank;
    lightest.emplace(load + costs[piece], rank);
  }
  return place;
}

}  // namespace souk
