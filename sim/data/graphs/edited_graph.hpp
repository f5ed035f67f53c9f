#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "sim/data/graphs/graph.hpp"

namespace souk {

/// What a network reads of a node: the features of a row, times a factor. Rows are the nodes of the first graph, and
/// behind them any that who computes has more of.
struct NodeSource {
  std::uint32_t row = 0;
  double factor = 1.0;
};

/// A graph with changes on top of one that does not change: nodes that were added or are gone, edges that were added,
/// factors of features. Costs what was changed; a copy is a branch of the world. Node numbers are those of the first
/// graph, and of added nodes the next ones, in order; a node that is gone keeps its number, and has no edges. Added
/// nodes are somebody's, who keeps them as they are, or arrive like the others and drift with them.
class EditedGraph {
 public:
  /// `first` must outlive it.
  explicit EditedGraph(const Graph& first) : first_(&first) {}

  const Graph& first() const { return *first_; }
  std::size_t nodes() const { return first_->nodes() + added_.size(); }
  bool is_gone(NodeIndex node) const { return gone_.contains(node); }
  std::size_t gone() const { return gone_.size(); }
  /// Ascending.
  std::span<const NodeIndex> neighbours(NodeIndex node) const;
  bool joined(NodeIndex a, NodeIndex b) const;
  NodeSource source(NodeIndex node) const;

  /// Somebody's node.
  NodeIndex add(const NodeSource& source);
  /// A node of nobody's.
  NodeIndex arrive(const NodeSource& source);
  /// Whether somebody added it.
  bool is_added(NodeIndex node) const { return node >= first_->nodes() && added_[node - first_->nodes()].is_owned; }
  /// Contract: two different nodes that are there. Nothing where they are neighbours.
  void join(NodeIndex a, NodeIndex b);
  /// The node is gone, and its edges.
  void remove(NodeIndex node);
  /// Multiplies the features.
  void scale(NodeIndex node, double factor);

  /// The features of all nodes but owned ones are multiplied by numbers from 1 - range to 1 + range, drawn by seed,
  /// tick and node, of arrivals in their order, when they are asked for.
  void drift(std::uint64_t seed, double range);
  /// Whether only features of single nodes are others than the first graph's.
  bool is_only_scaled() const { return rows_.empty() && added_.empty() && drifts_ == 0; }
  /// The nodes whose features were scaled, ascending.
  std::vector<NodeIndex> scaled() const;

 private:
  struct Added {
    NodeSource source;
    bool is_owned = true;
    std::uint32_t arrival = 0;  ///< how many arrived before it
    std::uint32_t born = 0;     ///< drifts before it was there
  };
  std::vector<NodeIndex>& own_row(NodeIndex node);
  double drifted(std::uint32_t node, std::uint32_t born) const;

  const Graph* first_;
  std::vector<Added> added_;
  std::uint32_t arrivals_ = 0, drifts_ = 0;
  std::uint64_t drift_seed_ = 0;
  double drift_range_ = 0.0;
  std::unordered_map<NodeIndex, std::vector<NodeIndex>> rows_;  ///< neighbours of nodes whose edges changed
  std::unordered_map<NodeIndex, double> factors_;
  std::unordered_set<NodeIndex> gone_;
};

}  // namespace souk
