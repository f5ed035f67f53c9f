#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "sim/data/graphs/graph.hpp"

namespace souk {

/// Answers for some nodes.
struct ReadAnswers {
  std::vector<NodeIndex> nodes;  ///< ascending
  std::size_t width = 0;
  std::vector<double> values;  ///< [nodes, width]

  std::span<const double> at(std::size_t place) const { return std::span(values).subspan(place * width, width); }
  std::size_t place(NodeIndex node) const {
    return static_cast<std::size_t>(std::ranges::lower_bound(nodes, node) - nodes.begin());
  }
  std::span<const double> of(NodeIndex node) const { return at(place(node)); }
};

}  // namespace souk
