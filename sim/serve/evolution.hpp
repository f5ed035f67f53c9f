#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/data/graphs/edited_graph.hpp"

namespace souk::scenario {
class Evolution;
}

namespace souk {

/// What the pair is about that a history may turn on.
struct HistoryPlace {
  NodeIndex target, candidate;
  NodeIndex probe;  ///< the attacker's own node that it perturbs
};

/// What happens to a graph from tick to tick, whoever watches: drift, departures, arrivals, growth around a centre, in
/// this order. Everything is drawn by the seed, the tick and the node; with `per_pair` by the pair, too.
class Evolution {
 public:
  /// Contract: `config` outlives it.
  Evolution(const scenario::Evolution& config, std::uint64_t seed) : config_(config), seed_(seed) {}
  /// Whether anything ever happens.
  bool is_still() const;
  /// What is set and changes nothing in a graph of so many nodes; empty: nothing is.
  std::string without_effect(std::size_t nodes) const;
  /// Bytes of a graph's changes after so many ticks, expected: of a node that arrives, and of its neighbour's row.
  double bytes(const Graph& graph, std::size_t ticks) const;
  /// The graph after `tick`, from that before; ticks count from 1.
  void advance(EditedGraph& graph, std::uint32_t tick, const HistoryPlace& place) const;

 private:
  void depart(EditedGraph& graph, std::uint64_t seed, std::uint32_t tick) const;
  void arrive(EditedGraph& graph, std::uint64_t seed, std::uint32_t tick) const;
  void grow(EditedGraph& graph, std::uint64_t seed, std::uint32_t tick, const HistoryPlace& place) const;

  const scenario::Evolution& config_;
  std::uint64_t seed_;
};

/// The nodes within two hops of `centre`, itself among them, ascending. `owned`: also through and with nodes that
/// somebody added.
std::vector<NodeIndex> within_two_hops(const EditedGraph& graph, NodeIndex centre, bool owned);

}  // namespace souk
