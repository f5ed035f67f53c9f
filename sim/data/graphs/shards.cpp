#include "sim/data/graphs/shards.hpp"

#include <cmath>
#include <limits>

#include "sim/base/contract.hpp"

namespace souk {

std::size_t shard_capacity(std::size_t nodes, std::size_t shards, double slack) {
  const double n = static_cast<double>(nodes), each = n / static_cast<double>(shards);
  return static_cast<std::size_t>(std::ceil(each + slack * (n - each)));
}

InducedEdges::InducedEdges(const SparseRows& edges, std::span<const NodeIndex> nodes) {
  constexpr std::uint32_t absent = std::numeric_limits<std::uint32_t>::max();
  std::vector<std::uint32_t> number(edges.rows(), absent);
  for (std::uint32_t i = 0; i < nodes.size(); ++i) {
    SOUK_EXPECT(number[nodes[i]] == absent);
    number[nodes[i]] = i;
  }
  for (const NodeIndex node : nodes) {
    for (std::uint64_t e = edges.offsets[node]; e < edges.offsets[node + 1]; ++e) {
      const std::uint32_t neighbour = number[edges.columns[e]];
      if (neighbour != absent) columns_.push_back(neighbour);
    }
    offsets_.push_back(columns_.size());
  }
}

}  // namespace souk
