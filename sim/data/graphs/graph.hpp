#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "sim/base/ids.hpp"

namespace souk {

struct Scaling;

/// A node of a graph, from 0.
using NodeIndex = std::uint32_t;
/// Two nodes that are neighbours.
using Edge = std::pair<NodeIndex, NodeIndex>;

/// A matrix most of whose values are zero, row after row (CSR), in memory that it does not own. Row i has the entries
/// [offsets[i], offsets[i + 1]), their columns ascending.
struct SparseRows {
  std::span<const std::uint64_t> offsets;  ///< [rows + 1]
  std::span<const std::uint32_t> columns;  ///< [entries]
  std::span<const float> values;           ///< [entries]; empty: all are 1
  std::size_t width = 0;                   ///< number of columns

  std::size_t rows() const { return offsets.empty() ? 0 : offsets.size() - 1; }
  std::size_t entries() const { return columns.size(); }
};

/// A graph with features of its nodes, in memory that it does not own: the ranks of a node share one copy. Undirected,
/// without loops: row v of `edges` has the neighbours of v, each once, and is [nodes, nodes] without values.
struct Graph {
  SparseRows edges;                        ///< what everybody computes with; with noise where the scenario wants it
  SparseRows true_edges = {};              ///< those before the noise; without rows where there is none
  SparseRows features;                     ///< [nodes, features], as stored
  std::span<const NodeIndex> train_nodes;  ///< [training units] node of each, ascending
  std::span<const NodeIndex> test_nodes;   ///< [test units]
  std::span<const NodeIndex> validation_nodes = {};  ///< of the split: neither trained on nor tested
  std::span<const std::int32_t> labels = {};         ///< [nodes] classes, of nodes in no split, too; -1: none is known
  bool own_nodes = false;  ///< who trains sees the nodes of its units and the edges between them alone

  std::size_t nodes() const { return edges.rows(); }
  /// What attacks on edges are after: by these their success is counted, and nothing else reads them.
  const SparseRows& secret_edges() const { return true_edges.rows() > 0 ? true_edges : edges; }
};

/// Scaling of the columns, fitted on the training nodes: zero mean and unit variance; what is constant gets scale 1.
/// Double sums in the order of nodes.
Scaling fit_standard_scaling(const Graph& graph);

/// How much memory a graph takes, known before it is copied there.
struct GraphShape {
  std::size_t nodes = 0;
  std::size_t edge_entries = 0;       ///< twice the number of edges
  bool noisy_edges = false;           ///< whether the true edges are there beside them
  std::size_t true_edge_entries = 0;  ///< of these; 0 where they are not
  std::size_t feature_entries = 0;
  std::size_t features = 0;
  std::size_t validation_nodes = 0;
  bool weighted_features = false;  ///< whether features have values other than 1
  bool own_nodes = false;
};

}  // namespace souk
