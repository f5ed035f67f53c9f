#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/data/graphs/graph.hpp"

namespace souk {

/// A graph's edges and some more, in memory of its own: a copy, as large as they are.
class MoreEdges {
 public:
  /// Contract: pairs of different nodes that are not joined, each once.
  MoreEdges(const SparseRows& edges, std::span<const Edge> more);
  SparseRows rows() const {
    return {.offsets = offsets_, .columns = neighbours_, .values = {}, .width = offsets_.size() - 1};
  }

 private:
  std::vector<std::uint64_t> offsets_;  ///< [nodes + 1]
  std::vector<NodeIndex> neighbours_;
};

}  // namespace souk
