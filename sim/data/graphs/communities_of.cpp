#include "sim/data/graphs/communities_of.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

namespace souk {
namespace {

/// A graph whose nodes are communities of a finer one.
struct Coarse {
  std::vector<std::uint64_t> offsets{0};
  std::vector<std::uint32_t> neighbours;
  std::vector<double> weights;  ///< [neighbours] edges between the two, counted from one end
  std::vector<double> inside;   ///< [nodes] ends of edges within
  std::size_t nodes() const { return inside.size(); }
  double degree(std::size_t v) const {
    return std::accumulate(weights.begin() + static_cast<std::ptrdiff_t>(offsets[v]),
                           weights.begin() + static_cast<std::ptrdiff_t>(offsets[v + 1]), inside[v]);
  }
};

Coarse finest(const SparseRows& edges) {
  Coarse graph;
  graph.offsets.assign(edges.offsets.begin(), edges.offsets.end());
  graph.neighbours.assign(edges.columns.begin(), edges.columns.end());
  graph.weights.assign(edges.entries(), 1.0);
  graph.inside.assign(edges.rows(), 0.0);
  return graph;
}

/// Moves nodes between communities until none gains.
class LocalMoves {
 public:
  LocalMoves(const Coarse& graph, double ends, double resolution)
      : graph_(graph), scale_(resolution / ends), community_(graph.nodes()), linked_(graph.nodes(), -1.0) {
    std::iota(community_.begin(), community_.end(), 0U);
    for (std::size_t v = 0; v < graph.nodes(); ++v) degrees_.push_back(graph.degree(v));
    totals_ = degrees_;
  }

  /// Whether any node moved.
  bool run() {
    bool ever = false;
    for (int pass = 0; pass < passes_max; ++pass) {
      bool moved = false;
      for (std::size_t v = 0; v < graph_.nodes(); ++v) moved = move(v) || moved;
      if (!moved) break;
      ever = true;
    }
    return ever;
  }
  const std::vector<std::uint32_t>& communities() const { return community_; }

 private:
  static constexpr int passes_max = 100;
  static constexpr double least_gain = 1e-9;  ///< in edges: below it a move is rounding

  bool move(std::size_t v) {
    touched_.clear();
    for (std::uint64_t e = graph_.offsets[v]; e < graph_.offsets[v + 1]; ++e) {
      const std::uint32_t c = community_[graph_.neighbours[e]];
      if (linked_[c] < 0.0) {
        linked_[c] = 0.0;
        touched_.push_back(c);
      }
      linked_[c] += graph_.weights[e];
    }
    const std::uint32_t own = community_[v];
    totals_[own] -= degrees_[v];
    const auto gain = [&](std::uint32_t c) { return std::max(linked_[c], 0.0) - scale_ * totals_[c] * degrees_[v]; };
    std::uint32_t best = own;
    double most = gain(own);
    std::ranges::sort(touched_);
    for (const std::uint32_t c : touched_) {
      if (gain(c) <= most + least_gain) continue;
      best = c;
      most = gain(c);
    }
    for (const std::uint32_t c : touched_) linked_[c] = -1.0;
    totals_[best] += degrees_[v];
    community_[v] = best;
    return best != own;
  }

  const Coarse& graph_;
  double scale_;
  std::vector<std::uint32_t> community_, touched_;
  std::vector<double> linked_, degrees_, totals_;  ///< linked: -1 where not touched
};

/// Numbers communities from 0 in the order in which nodes first have them; returns how many there are.
std::uint32_t renumber(std::vector<std::uint32_t>& community) {
  constexpr std::uint32_t unseen = std::numeric_limits<std::uint32_t>::max();
  std::vector<std::uint32_t> number(community.size(), unseen);
  std::uint32_t next = 0;
  for (std::uint32_t& c : community) {
    if (number[c] == unseen) number[c] = next++;
    c = number[c];
  }
  return next;
}

Coarse merged(const Coarse& graph, const std::vector<std::uint32_t>& community, std::uint32_t count) {
  std::vector<std::vector<std::uint32_t>> members(count);
  for (std::uint32_t v = 0; v < graph.nodes(); ++v) members[community[v]].push_back(v);
  Coarse coarse;
  for (std::uint32_t c = 0; c < count; ++c) {
    std::map<std::uint32_t, double> links;
    double inside = 0.0;
    for (const std::uint32_t v : members[c]) {
      inside += graph.inside[v];
      for (std::uint64_t e = graph.offsets[v]; e < graph.offsets[v + 1]; ++e) {
        const std::uint32_t other = community[graph.neighbours[e]];
        (other == c ? inside : links[other]) += graph.weights[e];
      }
    }
    coarse.inside.push_back(inside);
    for (const auto& [other, weight] : links) {
      coarse.neighbours.push_back(other);
      coarse.weights.push_back(weight);
    }
    coarse.offsets.push_back(coarse.neighbours.size());
  }
  return coarse;
}

}  // namespace

std::vector<std::uint32_t> louvain_communities(const SparseRows& edges, double resolution) {
  std::vector<std::uint32_t> community(edges.rows());
  std::iota(community.begin(), community.end(), 0U);
  const auto ends = static_cast<double>(edges.entries());
  if (edges.entries() == 0) return community;
  for (Coarse graph = finest(edges);;) {
    LocalMoves moves(graph, ends, resolution);
    if (!moves.run()) return community;
    std::vector<std::uint32_t> of_level = moves.communities();
    const std::uint32_t count = renumber(of_level);
    for (std::uint32_t& c : community) c = of_level[c];
    graph = merged(graph, of_level, count);
  }
}

double modularity(const SparseRows& edges, const std::vector<std::uint32_t>& community, double resolution) {
  const auto ends = static_cast<double>(edges.entries());
  std::vector<double> inside(edges.rows()), degrees(edges.rows());
  for (std::size_t v = 0; v < edges.rows(); ++v) {
    for (std::uint64_t e = edges.offsets[v]; e < edges.offsets[v + 1]; ++e) {
      degrees[community[v]] += 1.0;
      if (community[edges.columns[e]] == community[v]) inside[community[v]] += 1.0;
    }
  }
  double sum = 0.0;
  for (std::size_t c = 0; c < inside.size(); ++c) {
    sum += inside[c] / ends - resolution * (degrees[c] / ends) * (degrees[c] / ends);
  }
  return sum;
}

}  // namespace souk
