#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "sim/base/random.hpp"

namespace souk {

/// So many of some, or all where there are fewer, drawn; in the order in which they came.
template <class Value>
std::vector<Value> drawn(std::vector<Value> from, std::size_t count, Stream& random) {
  std::vector<std::uint32_t> order(from.size());
  std::iota(order.begin(), order.end(), 0U);
  random.shuffle(order);
  order.resize(std::min(count, order.size()));
  std::ranges::sort(order);
  std::vector<Value> some;
  for (const std::uint32_t i : order) some.push_back(from[i]);
  return some;
}

}  // namespace souk
