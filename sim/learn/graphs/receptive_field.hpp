#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/data/dataset.hpp"
#include "sim/data/graphs/graph.hpp"

namespace souk {

/// How stored features become what a network reads: (x - shift) * scale of a column, and then times a factor of the
/// row. Both without filling in the zeros.
struct FeatureScaling {
  std::span<const float> shift, scale;  ///< [features]; empty: columns are as stored
  std::span<const float> row_factors;   ///< [nodes of the graph]; empty: rows are as they are
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
  /// Of all nodes, in the graph's order: reads the graph where it lies.
  ReceptiveField(const Graph& graph, const FeatureScaling& scaling);

  /// Nodes within so many hops of the targets, which come first.
  std::size_t reach(std::size_t hops) const { return hops < reach_.size() ? reach_[hops] : reach_.back(); }
  /// Neighbours of every node, as far as they are in the field; all of them, but for nodes at its rim.
  const SparseRows& edges() const { return edges_; }
  const SparseRows& features() const { return features_; }
  /// [nodes in the field] degree in the graph, as far as there is one.
  std::span<const std::uint32_t> degrees() const { return degrees_; }
  const FeatureScaling& scaling() const { return scaling_; }  ///< row factors are those of the field's nodes
  double bytes() const;

 private:
  void find_nodes(const Graph& graph, std::span<const NodeIndex> targets, std::size_t hops,
                  std::span<const NodeIndex> within);
  std::uint32_t count_neighbours(const Graph& graph, NodeIndex node, bool restricted) const;
  void take_edges(const Graph& graph);
  void take_features(const Graph& graph, const FeatureScaling& scaling);

  std::vector<std::size_t> reach_;
  SparseRows edges_, features_;
  FeatureScaling scaling_;
  std::vector<std::uint32_t> degrees_;
  std::vector<NodeIndex> nodes_;       ///< [nodes in the field] in the graph
  std::vector<std::uint32_t> places_;  ///< [nodes of the graph] in the field; or absent, or barred
  std::vector<std::uint64_t> edge_offsets_, feature_offsets_;
  std::vector<std::uint32_t> neighbours_, feature_columns_;
  std::vector<float> feature_values_, row_factors_;
};

}  // namespace souk
