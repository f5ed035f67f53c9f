#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/base/random.hpp"

namespace at {
class Tensor;
}  // namespace at

namespace souk {

class Architecture;
class ChainPlan;
class ChainStage;

/// Channels, height and width of one sample between two layers; a flat vector of f values is {f, 1, 1}.
struct Extent {
  std::size_t channels = 1, height = 1, width = 1;
  std::size_t pixels() const { return height * width; }
  std::size_t size() const { return channels * pixels(); }
  std::string text() const;  ///< 3x32x32
  bool operator==(const Extent&) const = default;
};

/// What normalisations over the batch do with their running statistics.
enum class RunningStatistics : std::uint8_t {
  update,  ///< normalise by the batch, and move them towards it
  use,     ///< normalise by them
  leave,   ///< normalise by the batch
  follow   ///< the same, and tell by how much they would move, so that it can be differentiated
};

/// A forward pass by LibTorch, as its layers see it.
struct TorchPass {
  const std::vector<at::Tensor>& slots;  ///< parameters and buffers, by slot number, in the shapes of their slots
  std::vector<at::Tensor>& saved;        ///< values that layers put aside for later ones, the last one on top
  at::Tensor& attention;                 ///< [samples, channels] channel attention; undefined where nothing computes it
  RunningStatistics statistics = RunningStatistics::use;
  /// By how much each buffer would move, by slot number, where that is followed; undefined of trainable slots.
  std::vector<at::Tensor>* moves = nullptr;
};

/// Floats of memory for each sample.
struct TorchMemory {
  std::size_t kept = 0;      ///< until the backward pass
  std::size_t unfolded = 0;  ///< while the layer is computed
};

/// Element-wise or 2x2 work that the own kernels of a layer may do for the layers behind it, while they write outputs.
struct Finish {
  bool relu = false, pools = false;  ///< max(x, 0); maxima of 2x2 pixels. Both: in this order.
  bool operator==(const Finish&) const = default;
};

/// A term of an output: one of the layer's weights times one of its inputs, all by their places.
struct WeightedInput {
  std::uint32_t output, weight, input;
};

/// Slots of a layer whose outputs are sums of products, plus a bias: linear in its weights, and in its inputs.
struct LinearSlots {
  std::size_t weight = 0;
  std::optional<std::size_t> bias{};  ///< of one value for every channel
};

/// What an element-wise layer read, and its slope there.
struct Inverse {
  double in, slope;
};

/// The port of layers: a kind with its settings and, once it is part of an architecture, with its place there. One file
/// per kind in sim/learn/layers. Immutable from then on, and shared by copies of the architecture.
class Layer {
 public:
  virtual ~Layer() = default;
  const Extent& in() const { return in_; }
  const Extent& out() const { return out_; }

  /// Called once, behind the layers that `network` has, with in() set: enters parameters and buffers there, remembers
  /// the numbers of their slots, and returns the extent of the outputs. Throws InputError where the inputs do not fit.
  virtual Extent place(Architecture& network) = 0;
  /// Writes first values of everything that it has entered; `slots`: by slot number.
  virtual void initialise(Stream& random, std::span<const std::span<float>> slots) const;
  /// Of one sample, where they are worth counting; multiply and add are two.
  virtual double forward_flops() const { return 0.0; }

  /// From [samples, in] to [samples, out] by differentiable operators; [samples, values] or [samples, channels, height,
  /// width]. The oracle of the layer's own kernels, and what runs where it has none.
  virtual at::Tensor forward(const at::Tensor& value, TorchPass& pass) const = 0;
  virtual TorchMemory torch_memory() const { return {.kept = out_.size()}; }

  /// Nothing: its outputs are no sums of products.
  virtual std::optional<LinearSlots> linear_slots() const { return std::nullopt; }
  /// Shows every product that is formed of a sample, ascending by outputs.
  virtual void for_each_product(const std::function<void(const WeightedInput&)>& /*show*/) const {}
  /// What an element-wise layer read where it answered `out`, a value within its range. Nothing: it is not
  /// element-wise, or other inputs give the same.
  virtual std::optional<Inverse> inverse(double /*out*/) const { return std::nullopt; }

  /// The layer by our own kernels, with those layers behind it that the stage takes over from `plan`. Null: there are
  /// no such kernels, and LibTorch runs the network.
  virtual std::unique_ptr<ChainStage> stage(ChainPlan& plan) const;
  /// Whether its outputs are the feature maps of a convolution.
  virtual bool makes_feature_maps() const { return false; }
  /// What a stage before this layer has to do to take it over; nothing: it cannot.
  virtual Finish finish() const { return {}; }
  /// Whether its stage reads images pixel by pixel as well as channel by channel (ChainPlan::by_pixel).
  virtual bool reads_pixels() const { return false; }

 private:
  friend class Architecture;
  Extent in_, out_;
};

}  // namespace souk
