#include "attacks/known_pairs.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace souk {
namespace {

/// The questions, to be looked up.
class AskedAbout {
 public:
  AskedAbout(std::size_t nodes, std::span<const EdgeQuestion> questions) : candidates_(nodes) {
    for (const EdgeQuestion& question : questions) {
      std::vector<NodeIndex>& of = candidates_[question.target];
      of.insert(of.end(), question.candidates.begin(), question.candidates.end());
      count_ += question.candidates.size();
    }
    for (std::vector<NodeIndex>& of : candidates_) std::ranges::sort(of);
  }
  bool has(NodeIndex a, NodeIndex b) const {
    return std::ranges::binary_search(candidates_[a], b) || std::ranges::binary_search(candidates_[b], a);
  }
  std::size_t count() const { return count_; }  ///< a pair that is asked about in both directions is two

 private:
  std::vector<std::vector<NodeIndex>> candidates_;  ///< [nodes]
  std::size_t count_ = 0;
};

std::span<const NodeIndex> secret_neighbours(const Graph& graph, NodeIndex node) {
  const SparseRows& edges = graph.secret_edges();
  return edges.columns.subspan(edges.offsets[node], edges.offsets[node + 1] - edges.offsets[node]);
}

/// `count` of the pairs, or all, in an order of their own.
std::vector<NodePair> draw(const std::vector<NodePair>& pairs, std::size_t count, Stream& draws) {
  std::vector<std::uint32_t> order(pairs.size());
  std::iota(order.begin(), order.end(), 0U);
  draws.shuffle(order);
  order.resize(std::min(order.size(), count));
  std::vector<NodePair> drawn;
  for (const std::uint32_t place : order) drawn.push_back(pairs[place]);
  return drawn;
}

std::vector<NodePair> edges_not_asked(const Graph& graph, const AskedAbout& asked) {
  std::vector<NodePair> edges;
  for (NodeIndex a = 0; a < graph.nodes(); ++a) {
    for (const NodeIndex b : secret_neighbours(graph, a)) {
      if (a < b && !asked.has(a, b)) edges.emplace_back(a, b);
    }
  }
  return edges;
}

/// Neither edges nor asked about. Where most pairs are one or the other, it is quicker to look at all of them.
std::vector<NodePair> draw_others(const Graph& graph, const AskedAbout& asked, std::size_t count, Stream& draws) {
  const std::size_t nodes = graph.nodes();
  const auto is_free = [&](NodeIndex a, NodeIndex b) {
    return a != b && !std::ranges::binary_search(secret_neighbours(graph, a), b) && !asked.has(a, b);
  };
  if (nodes * (nodes - 1) / 2 < graph.secret_edges().entries() / 2 + asked.count() + 4 * count) {
    std::vector<NodePair> all;
    for (NodeIndex a = 0; a < nodes; ++a) {
      for (NodeIndex b = a + 1; b < nodes; ++b) {
        if (is_free(a, b)) all.emplace_back(a, b);
      }
    }
    return draw(all, count, draws);
  }
  const auto bound = static_cast<std::uint32_t>(nodes);
  std::vector<NodePair> others;
  std::set<NodePair> taken;
  while (others.size() < count) {
    const NodeIndex a = draws.below(bound), b = draws.below(bound);
    const NodePair pair{std::min(a, b), std::max(a, b)};
    if (is_free(a, b) && taken.insert(pair).second) others.push_back(pair);
  }
  return others;
}

}  // namespace

KnownPairs known_pairs(const Graph& graph, double share, std::span<const EdgeQuestion> questions, Stream& draws) {
  const AskedAbout asked(graph.nodes(), questions);
  const auto all = static_cast<double>(graph.secret_edges().entries() / 2);
  KnownPairs known;
  known.edges = draw(edges_not_asked(graph, asked), static_cast<std::size_t>(std::ceil(share * all)), draws);
  known.others = draw_others(graph, asked, known.edges.size(), draws);
  return known;
}

}  // namespace souk
