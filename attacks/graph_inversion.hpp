#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/learn/graphs/graph_network.hpp"

namespace souk {

/// A trained graph network, and what is known of the nodes that it answers about.
struct InvertedNetwork {
  const GraphNetwork& network;
  std::span<const float> parameters;
  const SparseRows& features;  ///< as stored
  const FeatureScaling& scaling;
  std::span<const std::int32_t> classes;  ///< [nodes]; -1: unknown
};

/// Weights of what is added to the loss of the classes.
struct InversionWeights {
  double norm = 0.0, smoothness = 0.0;
};

/// What GraphMI minimises over graphs of n nodes whose edges have any weight a_ij in [0, 1]. Graphs are [n, n], of
/// which the triangle below the diagonal counts; the diagonal is 0, and what is above is neither read nor written. T:
/// float or double.
template <class T>
class InversionLoss {
 public:
  /// Contract: every layer has a normalized form. `inverted` is read here alone.
  InversionLoss(const InvertedNetwork& inverted, const InversionWeights& weights);

  std::size_t nodes() const { return classes_.size(); }
  /// Mean cross-entropy of the known classes + norm |a|_2 and, if `smooth`, + smoothness tr(X^T L X); writes its
  /// derivatives by the a_ij. L = E (D - A) E, E = (D + 0.001)^-1/2, D the degrees without loops; X as the network
  /// reads it. 6 n^2 (values that layers write) flops.
  double evaluate(std::span<const T> graph, bool smooth, std::span<T> derivatives);
  /// [n, width] Values of the last hidden layer, or logits where there is none, each row over its norm; of a row of
  /// zeros, zeros.
  std::vector<double> embeddings(std::span<const T> graph);
  /// Of such a row.
  std::size_t embedding_width() const;

 private:
  struct Layer {
    std::size_t hops, inputs, outputs;
    std::vector<T> weight, bias;
    /// [hops + 1] [n, outputs] Products with the weight, spread over so many hops; and derivatives by them.
    std::vector<std::vector<T>> spread, d_spread;
    std::vector<T> out;  ///< [n, outputs] after the activation
  };
  void take_layers(const InvertedNetwork& inverted);
  void take_inner_products(const InvertedNetwork& inverted);
  void find_degrees(std::span<const T> graph);
  void spread(std::span<const T> graph, const std::vector<T>& in, std::size_t width, std::vector<T>& out);
  void forward(std::span<const T> graph);
  double classify(std::vector<T>& d_logits) const;
  void backward(std::span<const T> graph, std::vector<T> d_out);
  void gather_derivatives(std::span<T> derivatives, std::vector<double>& by_degree) const;
  double add_norm(std::span<const T> graph, std::span<T> derivatives) const;
  double add_smoothness(std::span<const T> graph, std::span<T> derivatives, std::vector<double>& by_degree) const;

  Activation activation_;
  InversionWeights weights_;
  std::vector<std::int32_t> classes_;
  std::vector<Layer> layers_;
  std::vector<double> degrees_;    ///< [n] without loops
  std::vector<T> roots_;           ///< [n] 1 / sqrt(degree + 1)
  std::vector<T> scaled_;          ///< [n, width] of what is being spread
  std::vector<T> inner_products_;  ///< [n, n] of the nodes' features; empty: nobody asks
};

/// Moves a graph to the nearest one with weights in [0, 1] whose sum is at most `most`: subtracts the same from all and
/// clips, the amount found by bisection.
template <class T>
void project_graph(std::span<T> graph, std::size_t nodes, double most);

extern template class InversionLoss<float>;
extern template class InversionLoss<double>;
extern template void project_graph<float>(std::span<float>, std::size_t, double);
extern template void project_graph<double>(std::span<double>, std::size_t, double);

}  // namespace souk
