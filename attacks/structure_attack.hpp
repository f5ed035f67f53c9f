#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/data/graphs/graph.hpp"
#include "sim/learn/graphs/edge_slopes.hpp"

namespace souk {

/// A member at work on the edges that it trains on.
struct StructureView {
  const Graph& graph;
  std::span<const NodeIndex> own;  ///< its training nodes, ascending
  std::uint64_t seed;
  AgentId member;
  RoundIndex round;
  /// Derivatives of its mean training loss under the global model of the round, with these edges inserted.
  std::function<EdgeSlopes(std::span<const Edge>)> slopes;
};

/// Before training: inserts edges into the graph that malicious agents train on. What others train and are tested on
/// stays as it is.
class StructureAttack {
 public:
  virtual ~StructureAttack() = default;
  /// Throws InputError for networks that it does not work on, starting with the field: "gradient_edges: …".
  virtual void check(const GraphNetwork&) const {}
  /// Whether edges are chosen anew in every round, and not once and for all.
  virtual bool is_anew() const { return false; }
  /// How many edges a member with these training nodes, ascending, inserts.
  virtual std::size_t budget(const Graph& graph, std::span<const NodeIndex> own) const = 0;
  /// The edges: as many as the budget says, pairs of own nodes that are not joined, each once.
  virtual std::vector<Edge> choose(const StructureView& view) const = 0;
};

}  // namespace souk
