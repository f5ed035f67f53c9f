#include "attacks/structure/own_pairs.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "scenarios/structure_attacks.pb.h"

namespace souk {
namespace {

std::span<const NodeIndex> neighbours(const Graph& graph, NodeIndex node) {
  const SparseRows& edges = graph.edges;
  return edges.columns.subspan(edges.offsets[node], edges.offsets[node + 1] - edges.offsets[node]);
}

}  // namespace

OwnPairs::OwnPairs(const Graph& graph, std::span<const NodeIndex> own, scenario::JoinedNodes joins)
    : graph_(graph), own_(own), any_classes_(joins == scenario::ANY_CLASSES) {
  if (own.empty()) return;
  count_ = pairs();
  if (!any_classes_) {
    std::map<std::int32_t, std::size_t> of_class;
    for (const NodeIndex node : own) count_ -= of_class[graph.labels[node]]++;
  }
  for (const NodeIndex a : own) {
    for (const NodeIndex b : neighbours(graph, a)) {
      const bool meant = any_classes_ || graph.labels[a] != graph.labels[b];
      if (a < b && meant && std::ranges::binary_search(own, b)) --count_;
    }
  }
}

bool OwnPairs::is_one(NodeIndex a, NodeIndex b) const {
  return a != b && (any_classes_ || graph_.labels[a] != graph_.labels[b]) &&
         !std::ranges::binary_search(neighbours(graph_, a), b);
}

std::vector<Edge> OwnPairs::all() const {
  std::vector<Edge> all;
  for (std::size_t i = 0; i < own_.size(); ++i) {
    for (std::size_t j = i + 1; j < own_.size(); ++j) {
      if (is_one(own_[i], own_[j])) all.emplace_back(own_[i], own_[j]);
    }
  }
  return all;
}

// Where few pairs are left over, it is quicker to look at all.
std::vector<Edge> OwnPairs::draw(std::size_t count, Stream& draws) const {
  count = std::min(count, count_);
  if (count_ <= 8 * count) {
    std::vector<Edge> drawn = all();
    for (std::size_t i = 0; i < count; ++i) {
      std::swap(drawn[i], drawn[i + draws.below(static_cast<std::uint32_t>(drawn.size() - i))]);
    }
    drawn.resize(count);
    return drawn;
  }
  std::vector<Edge> drawn;
  std::set<Edge> taken;
  const auto bound = static_cast<std::uint32_t>(own_.size());
  while (drawn.size() < count) {
    const NodeIndex a = own_[draws.below(bound)], b = own_[draws.below(bound)];
    const Edge pair = std::minmax({a, b});
    if (is_one(a, b) && taken.insert(pair).second) drawn.push_back(pair);
  }
  return drawn;
}

std::size_t edges_at(const Graph& graph, std::span<const NodeIndex> own) {
  std::size_t ends = 0, within = 0;  // of an edge within, both ends are counted
  for (const NodeIndex a : own) {
    for (const NodeIndex b : neighbours(graph, a)) within += std::ranges::binary_search(own, b) ? 1 : 0;
    ends += neighbours(graph, a).size();
  }
  return graph.own_nodes ? within / 2 : ends - within / 2;
}

}  // namespace souk
