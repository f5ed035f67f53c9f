#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sim/base/random.hpp"
#include "sim/learn/layer.hpp"
#include "sim/learn/model.hpp"
#include "sim/params/parameter_layout.hpp"

namespace souk {

/// A network as data: a list of layers over one flat parameter vector. Built layer by layer
/// (sim/learn/layers/layers.hpp has those that exist); every step checks that the shapes fit and throws InputError with
/// the sizes where they do not. Parameters are named and shaped as PyTorch names and shapes them. Copies share their
/// layers.
class Architecture {
 public:
  Architecture(std::string name, const ModelShape& shape);

  /// Any number of layers, each a std::unique_ptr, from front to back.
  template <class... Layers>
  Architecture& append(Layers... layers) {
    (take(std::move(layers)), ...);
    return *this;
  }

  const std::string& name() const { return name_; }
  const ModelShape& shape() const { return shape_; }
  std::span<const std::shared_ptr<const Layer>> layers() const { return layers_; }
  Extent in() const { return {shape_.input[0], shape_.input[1], shape_.input[2]}; }
  const Extent& out() const { return value_; }  ///< extent after the last layer
  /// Layout of all parameters added so far.
  ParameterLayout layout() const { return ParameterLayout(slots_); }
  /// The tensors by slot number, with the places that they would have in the flat vector if nothing followed.
  std::vector<Slot> slots() const;
  /// First values of all layers, which draw from front to back.
  void initialise(Stream& random, std::span<float> parameters) const;
  /// Of all layers, for one sample; multiply and add are two.
  double forward_flops() const;

  /// What layers do while they are appended (Layer::place): enter a tensor of this name, and get its slot number.
  /// Buffers are not trained; in the flat vector they lie behind all that is.
  std::size_t add_trainable(const std::string& name, const std::vector<std::size_t>& shape);
  std::size_t add_buffer(const std::string& name, const std::vector<std::size_t>& shape);
  /// Extents of the values that layers have put aside for later ones, the last one on top.
  std::vector<Extent>& saved() { return saved_; }

 private:
  void take(std::unique_ptr<Layer> layer);
  std::size_t add_slot(const std::string& name, const std::vector<std::size_t>& shape, bool trainable);

  std::string name_;
  ModelShape shape_;
  Extent value_;
  std::vector<Extent> saved_;
  std::vector<std::shared_ptr<const Layer>> layers_;
  std::vector<Slot> slots_;  ///< by number, without places
};

/// A family of networks, as chosen in scenario::Model: from its settings and the input to layers. One file per family
/// in sim/learn/networks.
class ModelFamily {
 public:
  virtual ~ModelFamily() = default;
  /// Whether its inputs are token numbers of a text, and not quantities.
  virtual bool reads_tokens() const { return false; }
  virtual Architecture build(const ModelShape& shape) const = 0;
};

/// The architecture that `model` chooses, for this input. Throws InputError where it cannot read it.
Architecture make_architecture(const scenario::Model& model, const ModelShape& shape);
/// The same, with channel attention of its last convolution, squeezed by `reduction`. Throws InputError where it has no
/// convolution.
Architecture make_attentive_architecture(const scenario::Model& model, const ModelShape& shape, std::size_t reduction);

}  // namespace souk
