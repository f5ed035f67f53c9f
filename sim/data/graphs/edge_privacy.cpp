#include "sim/data/graphs/edge_privacy.hpp"

#include <numeric>
#include <utility>

#include "scenarios/graphs.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/streams.hpp"

namespace souk {

std::unique_ptr<EdgePrivacy> make_edge_privacy(const scenario::GraphNodes& nodes) {
  if (chosen(nodes, "edge_privacy") == nullptr) return nullptr;
  return PluginRegistry<EdgePrivacy>::instance().create(nodes, "edge_privacy");
}

namespace {

/// The edges between the nodes [begin, end), numbered from `begin`: pairs, ascending.
std::vector<Edge> edges_between(const StoredGraph& graph, std::size_t begin, std::size_t end) {
  std::vector<Edge> edges;
  edges.reserve((graph.edge_offsets[end] - graph.edge_offsets[begin]) / 2);
  for (std::size_t v = begin; v < end; ++v) {
    for (std::uint64_t i = graph.edge_offsets[v]; i < graph.edge_offsets[v + 1]; ++i) {
      const NodeIndex u = graph.neighbours[i];
      SOUK_EXPECT(u >= begin && u < end);
      if (u > v) edges.emplace_back(static_cast<NodeIndex>(v - begin), static_cast<NodeIndex>(u - begin));
    }
  }
  return edges;
}

/// Both directions of edges that are pairs, ascending: every node then meets its neighbours in ascending order.
void store_pairs(const std::vector<Edge>& edges, StoredGraph& graph) {
  std::vector<std::uint64_t> offsets(graph.edge_offsets.size());
  for (const auto& [a, b] : edges) ++offsets[a + 1], ++offsets[b + 1];
  std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
  std::vector<std::uint64_t> next(offsets.begin(), offsets.end() - 1);
  std::vector<NodeIndex> neighbours(offsets.back());
  for (const auto& [a, b] : edges) neighbours[next[a]++] = b, neighbours[next[b]++] = a;
  graph.edge_offsets = std::move(offsets);
  graph.neighbours = std::move(neighbours);
}

}  // namespace

void perturb_edges(const EdgePrivacy& privacy, const std::vector<std::size_t>& graph_ends, std::uint64_t seed,
                   StoredGraph& graph) {
  const std::size_t nodes = graph.edge_offsets.size() - 1;
  const std::vector<std::size_t> ends = graph_ends.empty() ? std::vector{nodes} : graph_ends;
  SOUK_EXPECT(ends.back() == nodes);
  std::vector<Edge> noisy;
  std::size_t begin = 0;
  for (std::size_t part = 0; part < ends.size(); begin = ends[part++]) {
    Stream random(seed, streams::edge_noise(part));
    const auto first = static_cast<NodeIndex>(begin);
    const std::vector<Edge> of_part =
        privacy.perturb(ends[part] - begin, edges_between(graph, begin, ends[part]), random);
    noisy.reserve(noisy.size() + of_part.size());
    for (const auto& [a, b] : of_part) noisy.emplace_back(a + first, b + first);
  }
  graph.true_edge_offsets = graph.edge_offsets;
  graph.true_neighbours = std::move(graph.neighbours);
  store_pairs(noisy, graph);
}

}  // namespace souk
