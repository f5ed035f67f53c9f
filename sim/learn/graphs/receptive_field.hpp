#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/data/dataset.hpp"
#include "sim/data/graphs/edited_graph.hpp"
#include "sim/data/graphs/graph.hpp"

namespace souk {

/// How stored features become what a network reads: (x - shift) * scale of a column, and then times a factor of the
/// row. Both without filling in the zeros.
struct FeatureScaling {
  std::span<const float> shift, scale;  ///< [features]; empty: columns are as stored
  std::span<const float> row_factors;   ///< [nodes of the graph]; empty: rows are as they are
};

/// [nodes] What divides the features of every node by the sum of their sizes.
std::vector<float> factors_of_rows(const SparseRows& features);

/// Places of a graph's nodes in a field while it is built, kept from one to the next: forgetting them costs nothing.
class NodePlaces {
 public:
  static constexpr std::uint32_t absent = 0xFFFFFFFF;
  /// Forgets all; room for so many nodes.
  void begin(std::size_t nodes);
  std::uint32_t of(NodeIndex node) const { return marks_[node] == mark_ ? places_[node] : absent; }
  void put(NodeIndex node, std::uint32_t place) {
    marks_[node] = mark_;
    places_[node] = place;
  }

 private:
  std::uint32_t mark_ = 0;
  std::vector<std::uint32_t> marks_, places_;
};

/// What the answers for some nodes depend on: the nodes within so many hops of them, numbered anew by distance and,
/// within one, in the graph's order; so that what a layer must compute is a range from 0. Neighbours of a node stand in
/// the graph's order: sums over them have the same bits in every field.
class ReceptiveField {
 public:
  /// Of the nodes `targets`, which differ. `within`: as if the graph had these nodes alone, the targets among them, and
  /// the edges between them; empty: it has all. `graph` must outlive it.
  ReceptiveField(const Graph& graph, const FeatureScaling& scaling, std::span<const NodeIndex> targets,
                 std::size_t hops, std::span<const NodeIndex> within = {});
  /// Of `targets` as far as neighbours are drawn: of a node reached in hop h - 1 (targets in hop 0), `counts[h - 1]` of
  /// its neighbours, without repeats, all where it has fewer. Edges that are drawn are all there are; they go both
  /// ways, and degrees count them. `within` as above.
  ReceptiveField(const Graph& graph, const FeatureScaling& scaling, std::span<const NodeIndex> targets,
                 std::span<const std::uint32_t> counts, Stream& draws, std::span<const NodeIndex> within = {});
  /// Of all nodes, in the graph's order: reads the graph where it lies.
  ReceptiveField(const Graph& graph, const FeatureScaling& scaling);
  /// Of `targets` in a graph with edits, for answers alone: no way leads back through it. Instead of features it has
  /// sources.
  ReceptiveField(const EditedGraph& graph, std::span<const NodeIndex> targets, std::size_t hops, NodePlaces& places);

  /// Nodes within so many hops of the targets, which come first.
  std::size_t reach(std::size_t hops) const { return hops < reach_.size() ? reach_[hops] : reach_.back(); }
  /// Neighbours of every node, as far as they are in the field; all of them, but for nodes at its rim.
  const SparseRows& edges() const { return edges_; }
  const SparseRows& features() const { return features_; }
  /// [nodes in the field] degree in the graph, as far as there is one.
  std::span<const std::uint32_t> degrees() const { return degrees_; }
  const FeatureScaling& scaling() const { return scaling_; }  ///< row factors are those of the field's nodes
  /// [nodes in the field] of a graph with edits, what they read; else empty.
  std::span<const NodeSource> sources() const { return sources_; }
  double bytes() const;

 private:
  void find_nodes(const Graph& graph, std::span<const NodeIndex> targets, std::size_t hops,
                  std::span<const NodeIndex> within);
  std::uint32_t count_neighbours(const Graph& graph, NodeIndex node, bool restricted) const;
  void take_edges(const Graph& graph);
  void take_edges(const std::vector<std::pair<NodeIndex, NodeIndex>>& drawn);
  void take_features(const Graph& graph, const FeatureScaling& scaling);

  std::vector<std::size_t> reach_;
  SparseRows edges_, features_;
  FeatureScaling scaling_;
  std::vector<std::uint32_t> degrees_;
  std::vector<NodeSource> sources_;
  std::vector<NodeIndex> nodes_;       ///< [nodes in the field] in the graph
  std::vector<std::uint32_t> places_;  ///< [nodes of the graph] in the field; or absent, or barred
  std::vector<std::uint64_t> edge_offsets_, feature_offsets_;
  std::vector<std::uint32_t> neighbours_, feature_columns_;
  std::vector<float> feature_values_, row_factors_;
};

}  // namespace souk
