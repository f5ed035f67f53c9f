#include "sim/serve/connected_parts.hpp"

#include <algorithm>

namespace souk {

ConnectedParts connected_parts(const Graph& graph) {
  constexpr std::uint32_t unseen = 0xFFFFFFFF;
  ConnectedParts parts;
  parts.part.assign(graph.nodes(), unseen);
  parts.place.resize(graph.nodes());
  for (NodeIndex first = 0; first < graph.nodes(); ++first) {
    if (parts.part[first] != unseen) continue;
    const auto number = static_cast<std::uint32_t>(parts.nodes.size());
    std::vector<NodeIndex> reached{first};
    parts.part[first] = number;
    for (std::size_t i = 0; i < reached.size(); ++i) {
      const std::uint64_t end = graph.edges.offsets[reached[i] + 1];
      for (std::uint64_t e = graph.edges.offsets[reached[i]]; e < end; ++e) {
        const NodeIndex to = graph.edges.columns[e];
        if (parts.part[to] != unseen) continue;
        parts.part[to] = number;
        reached.push_back(to);
      }
    }
    std::ranges::sort(reached);
    for (std::size_t i = 0; i < reached.size(); ++i) parts.place[reached[i]] = static_cast<std::uint32_t>(i);
    parts.nodes.push_back(std::move(reached));
  }
  return parts;
}

}  // namespace souk
