#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "sim/data/graphs/edited_graph.hpp"
#include "sim/learn/graphs/graph_network.hpp"
#include "sim/learn/graphs/known_products.hpp"

namespace souk {

/// Answers after the features of a few nodes were scaled, computed from those before: what changes spreads from layer
/// to layer, and nothing else is touched. A change of one node costs, for each layer, the edges of the nodes that it
/// has reached. For networks whose layers are linear between activations (gcn, sgc, sage, mlp, logreg).
class ScaledAnswers {
 public:
  /// About a connected part of the graph: `nodes`, ascending, and `places` [nodes of the graph] of each of them among
  /// them. All layers of the network must be linear (can_answer), with these parameters; a pass over the part. All of
  /// it must outlive this.
  ScaledAnswers(const GraphNetwork& network, const Graph& graph, std::vector<NodeIndex> nodes,
                std::span<const std::uint32_t> places, std::span<const double> parameters,
                KnownProducts<double>& known);
  /// Whether all layers are linear.
  static bool can_answer(const GraphArchitecture& network, const Graph& graph);
  /// Logits [targets, classes] of nodes of the part in `graph`, whose edits are factors of features alone.
  void logits(const EditedGraph& graph, std::span<const NodeIndex> targets, std::span<double> out);

 private:
  /// Changes of the rows of some nodes, by their places.
  struct Change {
    std::vector<std::uint32_t> nodes;
    std::vector<double> rows;  ///< [nodes, width]
  };
  void pass();
  bool has(NodeIndex node) const;
  Change of_features(const EditedGraph& graph, std::size_t weight);
  Change of_rows(const Change& in, std::size_t layer) const;
  Change spread(const Change& in, const EdgeFactors<double>& edges, std::size_t width);
  void add(Change& to, const Change& more, std::size_t width);
  void activate(Change& change, std::size_t layer) const;
  double* row_of(Change& change, std::uint32_t node, std::size_t width);
  static void multiply(const Change& in, std::size_t inputs, const double* weight, std::size_t outputs, Change& out);

  const GraphArchitecture& network_;
  std::vector<NodeIndex> nodes_;
  std::span<const std::uint32_t> places_of_nodes_;
  std::span<const double> parameters_;
  KnownProducts<double>& known_;
  NodePlaces marks_;
  ReceptiveField field_;
  std::vector<LinearForm> forms_;              ///< [layers]
  std::vector<std::size_t> offsets_, widths_;  ///< [layers]
  std::vector<std::vector<double>> before_;    ///< [layers] [nodes of the part, width] before the activation
};

}  // namespace souk
