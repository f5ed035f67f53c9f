#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/learn/graphs/graph_network.hpp"
#include "sim/learn/objective.hpp"

namespace souk {

/// Derivatives of a graph network's mean loss on some nodes by the weight a_uv of an edge between two of them that is
/// not there, where a_uv = 0. Layers weigh neighbours by S = (D + I)^-1/2 (A + I) (D + I)^-1/2, in which degrees count
/// the weight, too: with g = dL/d(S p) for every product S p that a layer forms, r = 1 / sqrt(d + 1) and * a dot
/// product,
///   dL/da_uv = r_u r_v (g_u * p_v + g_v * p_u) + c_u + c_v, summed over products,
///   c_u = -r_u^2 / 2 (g_u * (S p)_u + (S^T g)_u * p_u).
class EdgeSlopes {
 public:
  /// Whether it is defined for such a network.
  static bool has(const GraphArchitecture& network);
  /// Of the mean loss of `nodes`, ascending, of these classes; they are the targets of `field`, which reaches as far as
  /// the network. Nothing given is read later. Twice the work of a gradient, in double.
  EdgeSlopes(const GraphNetwork& network, const Objective& objective, std::span<const float> parameters,
             const ReceptiveField& field, std::span<const NodeIndex> nodes, std::span<const std::int32_t> labels);
  /// Of two of the nodes. 4 (sum of widths of products) flops.
  double of(NodeIndex a, NodeIndex b) const;

 private:
  /// A product with S: of the nodes' values before it, and derivatives by what they are after it.
  struct Spread {
    std::size_t width;
    std::vector<double> before, d_after;  ///< [nodes, width]
  };
  struct Layer;
  std::vector<Layer> forward(const GraphNetwork& network, std::span<const float> parameters,
                             const ReceptiveField& field) const;
  void backward(const GraphNetwork& network, const ReceptiveField& field, const std::vector<Layer>& layers,
                std::vector<double> d_out);
  void keep(const std::vector<double>& before, const std::vector<double>& after, const std::vector<double>& d_before,
            const std::vector<double>& d_after, std::size_t width);

  std::vector<NodeIndex> nodes_;
  std::vector<double> roots_, own_;  ///< [nodes] r and c
  std::vector<Spread> spreads_;
};

}  // namespace souk
