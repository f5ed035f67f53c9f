#include "agents/serving/asked_pairs.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <span>

#include "scenarios/edge_attacks.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

std::span<const NodeIndex> true_neighbours(const Graph& graph, NodeIndex node) {
  const SparseRows& edges = graph.secret_edges();
  return edges.columns.subspan(edges.offsets[node], edges.offsets[node + 1] - edges.offsets[node]);
}

/// The nodes that may be asked about, ascending.
std::vector<NodeIndex> eligible_nodes(const scenario::EdgeInference& config, const Graph& graph) {
  std::vector<NodeIndex> nodes;
  switch (config.among()) {
    case scenario::EdgeInference::TEST_NODES:
      nodes.assign(graph.test_nodes.begin(), graph.test_nodes.end());
      break;
    case scenario::EdgeInference::TRAIN_NODES:
      nodes.assign(graph.train_nodes.begin(), graph.train_nodes.end());
      break;
    case scenario::EdgeInference::ALL_NODES:
      nodes.resize(graph.nodes());
      std::iota(nodes.begin(), nodes.end(), NodeIndex{0});
      break;
  }
  std::ranges::sort(nodes);
  return nodes;
}

/// So many of them with a degree in the range (`high` 0: any), ascending.
std::vector<NodeIndex> draw_nodes(const scenario::EdgeInference& config, const Graph& graph, std::size_t count,
                                  std::size_t low, std::size_t high, Stream& draws) {
  std::vector<NodeIndex> nodes = eligible_nodes(config, graph);
  std::erase_if(nodes, [&](NodeIndex node) {
    const std::size_t degree = true_degree(graph, node);
    return degree < low || (high > 0 && degree > high);
  });
  draws.shuffle(nodes);
  nodes.resize(std::min(nodes.size(), count));
  std::ranges::sort(nodes);
  return nodes;
}

/// Nodes that share a neighbour with the target and are none, ascending.
std::vector<NodeIndex> two_hops_away(const Graph& graph, NodeIndex target) {
  std::vector<NodeIndex> nodes;
  for (const NodeIndex near : true_neighbours(graph, target)) {
    for (const NodeIndex far : true_neighbours(graph, near)) {
      if (far != target && !is_edge(graph, target, far)) nodes.push_back(far);
    }
  }
  std::ranges::sort(nodes);
  nodes.erase(std::ranges::unique(nodes).begin(), nodes.end());
  return nodes;
}

/// `count` different nodes that are not the target's neighbours; all where there are fewer.
std::vector<NodeIndex> any_others(const std::vector<NodeIndex>& eligible, const Graph& graph, NodeIndex target,
                                  std::size_t count, Stream& draws) {
  std::vector<NodeIndex> others;
  if (eligible.size() < 4 * (count + true_degree(graph, target) + 1)) {
    std::ranges::copy_if(eligible, std::back_inserter(others),
                         [&](NodeIndex node) { return node != target && !is_edge(graph, target, node); });
    draws.shuffle(others);
    others.resize(std::min(others.size(), count));
    return others;
  }
  std::set<NodeIndex> taken;
  while (others.size() < count) {
    const NodeIndex node = eligible[draws.below(static_cast<std::uint32_t>(eligible.size()))];
    if (node != target && !is_edge(graph, target, node) && taken.insert(node).second) others.push_back(node);
  }
  return others;
}

AskedPairs lists_of(const scenario::EdgeInference& config, const Graph& graph, Stream& draws) {
  const scenario::TargetLists& lists = config.targets();
  AskedPairs asked;
  const std::vector<NodeIndex> eligible = eligible_nodes(config, graph);
  for (const NodeIndex target :
       draw_nodes(config, graph, lists.count(), lists.degree_low(), lists.degree_high(), draws)) {
    EdgeQuestion question{.target = target, .candidates = {}};
    const auto is_eligible = [&](NodeIndex node) { return std::ranges::binary_search(eligible, node); };
    std::ranges::copy_if(true_neighbours(graph, target), std::back_inserter(question.candidates), is_eligible);
    const std::size_t degree = question.candidates.size();
    const std::size_t length = degree > lists.longest() / 2 ? 2 * degree : lists.longest();
    std::vector<NodeIndex> others;
    if (lists.negatives() == scenario::TargetLists::TWO_HOP) {
      others = two_hops_away(graph, target);
      std::erase_if(others, [&](NodeIndex node) { return !is_eligible(node); });
      draws.shuffle(others);
    } else {
      others = any_others(eligible, graph, target, length - degree, draws);
    }
    others.resize(std::min(others.size(), length - degree));
    if (others.empty() || degree == 0) {
      ++asked.left_out;
      continue;
    }
    question.candidates.insert(question.candidates.end(), others.begin(), others.end());
    asked.questions.push_back(std::move(question));
  }
  return asked;
}

AskedPairs all_pairs_of(const scenario::EdgeInference& config, const Graph& graph, Stream& draws) {
  const scenario::NodeSample& sample = config.nodes();
  const std::vector<NodeIndex> nodes =
      draw_nodes(config, graph, sample.count(), sample.degree_low(), sample.degree_high(), draws);
  AskedPairs asked{.kind = AskedPairs::Kind::all, .questions = {}};
  if (nodes.size() < 2) return asked;
  for (const NodeIndex node : nodes) {
    EdgeQuestion question{.target = node, .candidates = nodes};
    std::erase(question.candidates, node);
    asked.questions.push_back(std::move(question));
  }
  return asked;
}

/// Edges between eligible nodes, the smaller end first.
std::vector<std::pair<NodeIndex, NodeIndex>> edges_among(const std::vector<NodeIndex>& nodes, const Graph& graph) {
  std::vector<std::pair<NodeIndex, NodeIndex>> edges;
  for (const NodeIndex node : nodes) {
    for (const NodeIndex other : true_neighbours(graph, node)) {
      if (other > node && std::ranges::binary_search(nodes, other)) edges.emplace_back(node, other);
    }
  }
  return edges;
}

AskedPairs balanced_pairs(const scenario::EdgeInference& config, const Graph& graph, Stream& draws) {
  const std::vector<NodeIndex> nodes = eligible_nodes(config, graph);
  const auto edges = edges_among(nodes, graph);
  std::vector<std::uint32_t> order(edges.size());
  std::iota(order.begin(), order.end(), 0U);
  draws.shuffle(order);
  const std::size_t wanted = std::min<std::size_t>(edges.size(), config.balanced().edges());
  std::set<std::pair<NodeIndex, NodeIndex>> pairs;
  for (std::size_t i = 0; i < wanted; ++i) pairs.insert(edges[order[i]]);
  const double possible = static_cast<double>(nodes.size()) * static_cast<double>(nodes.size() - 1) / 2.0;
  SOUK_REQUIRE(possible - static_cast<double>(edges.size()) >= static_cast<double>(wanted),
               "balanced.edges = {}: the graph has fewer pairs of nodes that are not joined",
               config.balanced().edges());
  const auto count = static_cast<std::uint32_t>(nodes.size());
  while (pairs.size() < 2 * wanted) {
    const NodeIndex a = nodes[draws.below(count)], b = nodes[draws.below(count)];
    if (a != b && !is_edge(graph, a, b)) pairs.emplace(std::min(a, b), std::max(a, b));
  }
  AskedPairs asked{.kind = AskedPairs::Kind::balanced, .questions = {}};
  for (const auto& [a, b] : pairs) {
    if (asked.questions.empty() || asked.questions.back().target != a) {
      asked.questions.push_back({.target = a, .candidates = {}});
    }
    asked.questions.back().candidates.push_back(b);
  }
  return asked;
}

}  // namespace

bool is_edge(const Graph& graph, NodeIndex a, NodeIndex b) {
  return std::ranges::binary_search(true_neighbours(graph, a), b);
}

std::size_t true_degree(const Graph& graph, NodeIndex node) { return true_neighbours(graph, node).size(); }

AskedPairs asked_pairs(const scenario::EdgeInference& config, const Graph& graph, std::uint64_t seed,
                       std::size_t attack) {
  Stream draws(seed, streams::asked_pairs(attack));
  AskedPairs asked = config.has_nodes()      ? all_pairs_of(config, graph, draws)
                     : config.has_balanced() ? balanced_pairs(config, graph, draws)
                                             : lists_of(config, graph, draws);
  SOUK_REQUIRE(!asked.questions.empty(), "no node, or no edge, of the graph is such that it could be asked about");
  return asked;
}

}  // namespace souk
