#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "sim/learn/graphs/convolution.hpp"
#include "sim/learn/objective.hpp"
#include "sim/params/parameter_layout.hpp"

namespace souk::scenario {
class Model;
}

namespace souk {

/// A graph network's arithmetic over flat memory, by our own kernels. One per rank; calls are not reentrant. Answers
/// are logits of the first nodes of a field, the targets, which must reach as far as the network does; they have the
/// same bits in every field.
class GraphNetwork {
 public:
  /// Throws InputError where the objective asks for what a graph network does not have.
  GraphNetwork(GraphArchitecture architecture, const GraphModelShape& shape,
               std::shared_ptr<const Objective> objective);

  const std::string& name() const { return architecture_.name; }
  const GraphArchitecture& architecture() const { return architecture_; }
  /// [layers] Where the parameters of each begin, and values of a node that it writes.
  std::span<const std::size_t> offsets() const { return std::span(offsets_).first(widths_.size()); }
  std::span<const std::size_t> widths() const { return widths_; }
  const ParameterLayout& layout() const { return *layout_; }
  void initialise(Stream& random, std::span<float> parameters) const;
  std::size_t hops() const;
  std::size_t classes() const { return shape_.classes; }
  /// Of one pass over all nodes.
  double forward_flops(const LayerSize& size) const;
  /// Bytes of a gradient for a field of so many nodes and edge entries.
  double working_bytes(const LayerSize& size) const;

  /// Writes logits [nodes, classes] of the first `nodes` of the field.
  void outputs(std::span<const float> parameters, const ReceptiveField& field, std::size_t nodes,
               std::span<float> logits);
  void outputs(std::span<const double> parameters, const ReceptiveField& field, std::size_t nodes,
               std::span<double> logits);
  /// Likewise of a field that has sources: `known` has the products of what they name with weights of `parameters`.
  template <class T>
  void outputs(std::span<const T> parameters, const ReceptiveField& field, std::size_t nodes, KnownProducts<T>& known,
               std::span<T> logits);
  /// Mean loss of the targets, of these classes, and its gradient [trainable]. `dropout`: null: nothing is dropped.
  double gradient(std::span<const float> parameters, const ReceptiveField& field, std::span<const std::int32_t> labels,
                  std::span<float> gradient, Stream* dropout = nullptr);
  /// Hessian of the mean loss times `direction`, both [trainable].
  void hessian_vector(std::span<const float> parameters, const ReceptiveField& field,
                      std::span<const std::int32_t> labels, std::span<const float> direction, std::span<float> out);

 private:
  template <class T>
  struct Work;
  template <class T>
  void forward(Work<T>& work, const T* parameters, const ReceptiveField& field, std::size_t nodes, Stream* dropout);
  template <class T>
  void backward(Work<T>& work, const T* parameters, std::vector<T>& d_logits, T* gradient);
  void check_objective() const;

  GraphArchitecture architecture_;
  GraphModelShape shape_;
  std::shared_ptr<const Objective> objective_;
  std::unique_ptr<ParameterLayout> layout_;
  std::vector<std::size_t> offsets_, widths_;  ///< of each layer: where its parameters begin; values that it writes
  struct Works;
  std::shared_ptr<Works> works_;
};

/// The graph network chosen in `model`, for the nodes of this data set. Throws InputError as below.
GraphNetwork make_graph_network(const scenario::Model& model, const Dataset& train,
                                std::shared_ptr<const Objective> objective);

/// The graph network chosen in `model`. Throws InputError where it is a network of rows.
GraphArchitecture make_graph_architecture(const scenario::Model& model, const GraphModelShape& shape);

}  // namespace souk
