#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/learn/graphs/dual.hpp"
#include "sim/learn/graphs/receptive_field.hpp"
#include "sim/params/parameter_layout.hpp"

namespace souk {

template <class T>
class KnownProducts;

/// What a layer reads: rows of values, or the graph's own features, sparse and scaled, or what is known of them.
template <class T>
struct NodeInput {
  const T* rows = nullptr;                ///< [nodes, width]; null: features
  KnownProducts<T>* known = nullptr;      ///< null: features, as they are
  const NodeSource* sources = nullptr;    ///< [nodes] of what is known
  const SparseRows* features = nullptr;   ///< of the field's nodes
  const float* feature_values = nullptr;  ///< [entries] instead of their values; null: theirs
  const FeatureScaling* scaling = nullptr;
  std::size_t width = 0;
};

/// One layer on its way forward: from values of the first `rows_in` nodes of a field to values of the first `rows_out`.
template <class T>
struct LayerPass {
  const ReceptiveField& field;
  std::size_t rows_in, rows_out;
  NodeInput<T> in;
  const T* parameters;                ///< the layer's
  T* out;                             ///< [rows_out, width]
  std::vector<std::vector<T>>& kept;  ///< what the layer keeps for the way back
  Stream* dropout = nullptr;          ///< null: nothing is dropped
};

/// And on its way back, with the same field, rows, input, parameters and `kept`.
template <class T>
struct LayerReturn {
  const LayerPass<T>& pass;
  const T* d_out;   ///< [rows_out, width]
  T* d_parameters;  ///< added to
  T* d_in;          ///< [rows_in, width of the input], written; null: nobody asks
};

/// What a layer has to do, for its cost.
struct LayerSize {
  double nodes = 0.0, edge_entries = 0.0, feature_entries = 0.0;
  bool reads_features = false;  ///< it is the first, and reads sparse features
};

/// out_i = at_i (sum of from_j in_j over the neighbours j of i) + own_i in_i. Empty: factors of 1, and nothing of a
/// node's own.
template <class S>
struct EdgeFactors {
  std::vector<S> at, from, own;
};

/// What a layer that is linear in its input does: edges^hops (in weight) + in own_weight + a constant.
struct LinearForm {
  EdgeFactors<double> edges;  ///< of the nodes of a field
  std::size_t hops = 1;
  std::size_t weight = 0;  ///< where it begins in the layer's parameters
  std::optional<std::size_t> own_weight{};
};

/// What a layer does whatever the edges are: S^hops in weight + bias, S = (D + I)^-1/2 (A + I) (D + I)^-1/2 for
/// neighbours A with degrees D.
struct NormalizedForm {
  std::size_t hops = 1;
  std::size_t weight = 0, bias = 0;  ///< where they begin in the layer's parameters
};

/// A layer of a graph network, one file each: parameters and their first values, and its arithmetic in numbers of any
/// kind (float to train, double to serve, dual numbers for products with the Hessian). Immutable.
class Convolution {
 public:
  virtual ~Convolution() = default;
  /// Called once. Values of a node that it reads; returns those that it writes.
  virtual std::size_t place(std::size_t inputs) = 0;
  /// Its parameters in the order in which they lie, named behind `prefix`.
  virtual std::vector<Slot> slots(const std::string& prefix) const = 0;
  /// First values of what slots() names, in one run.
  virtual void initialise(Stream& random, std::span<float> parameters) const = 0;
  /// How many hops away a node may be that its answers depend on.
  virtual std::size_t hops() const { return 1; }
  /// On the first `rows` nodes of a field; nothing: it is not linear.
  virtual std::optional<LinearForm> linear_form(const ReceptiveField& /*field*/, std::size_t /*rows*/) const {
    return std::nullopt;
  }
  /// Nothing: it weighs neighbours in another way.
  virtual std::optional<NormalizedForm> normalized_form() const { return std::nullopt; }
  /// Multiply and add are two.
  virtual double forward_flops(const LayerSize& size) const = 0;

  virtual void forward(const LayerPass<float>& pass) const = 0;
  virtual void forward(const LayerPass<double>& pass) const = 0;
  virtual void forward(const LayerPass<Dual<float>>& pass) const = 0;
  virtual void forward(const LayerPass<Dual<double>>& pass) const = 0;
  virtual void backward(const LayerReturn<float>& back) const = 0;
  virtual void backward(const LayerReturn<double>& back) const = 0;
  virtual void backward(const LayerReturn<Dual<float>>& back) const = 0;
  virtual void backward(const LayerReturn<Dual<double>>& back) const = 0;
};

/// A layer whose class has `template <class T> void run(const LayerPass<T>&) const` and `unwind(const
/// LayerReturn<T>&)`.
template <class Kind>
class ConvolutionOf : public Convolution {
 public:
  void forward(const LayerPass<float>& pass) const final { kind().run(pass); }
  void forward(const LayerPass<double>& pass) const final { kind().run(pass); }
  void forward(const LayerPass<Dual<float>>& pass) const final { kind().run(pass); }
  void forward(const LayerPass<Dual<double>>& pass) const final { kind().run(pass); }
  void backward(const LayerReturn<float>& back) const final { kind().unwind(back); }
  void backward(const LayerReturn<double>& back) const final { kind().unwind(back); }
  void backward(const LayerReturn<Dual<float>>& back) const final { kind().unwind(back); }
  void backward(const LayerReturn<Dual<double>>& back) const final { kind().unwind(back); }

 private:
  const Kind& kind() const { return static_cast<const Kind&>(*this); }
};

enum class Activation : std::uint8_t { relu, elu };

/// A network of graph layers as a family of models describes it.
struct GraphArchitecture {
  std::string name;
  std::vector<std::unique_ptr<Convolution>> layers;
  Activation activation = Activation::relu;  ///< between layers
  double dropout = 0.0;                      ///< of what a layer reads
};

/// What a graph network is built for.
struct GraphModelShape {
  std::size_t features = 0;
  std::size_t classes = 2;
};

/// A family of graph networks: what the registry makes from the `network` of scenario::Model.
class GraphModelFamily {
 public:
  virtual ~GraphModelFamily() = default;
  virtual GraphArchitecture build(const GraphModelShape& shape) const = 0;
};

}  // namespace souk
