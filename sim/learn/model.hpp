#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/base/footprint.hpp"
#include "sim/base/ids.hpp"
#include "sim/base/random.hpp"
#include "sim/data/dataset.hpp"
#include "sim/learn/objective.hpp"
#include "sim/params/parameter_layout.hpp"

namespace souk::scenario {
class Model;
}  // namespace souk::scenario

namespace souk {

class Architecture;

/// What a network reads and answers.
struct ModelShape {
  std::array<std::size_t, 3> input{1, 1, 1};  ///< channels, height, width
  int classes = 2;                            ///< 0: it predicts a number
  std::size_t vocabulary = 0;                 ///< inputs are token numbers below this; 0: inputs are quantities
  /// Behind so many layers it computes channel attention, squeezed by so much; 0: it does not.
  std::size_t attention_behind = 0, attention_reduction = 0;
  std::size_t inputs() const { return input[0] * input[1] * input[2]; }
  /// Values that it answers for a sample: a logit of every class, or the number.
  std::size_t outputs() const { return classes > 0 ? static_cast<std::size_t>(classes) : 1; }
};

/// What a network for this data set reads and answers.
inline ModelShape model_shape(const Dataset& data) {
  return {.input = data.shape().sample_shape, .classes = data.classes(), .vocabulary = data.shape().vocabulary};
}

/// A mini-batch in memory.
struct Batch {
  std::span<const float> features;         ///< [samples, features], scaled
  std::span<const std::int32_t> labels{};  ///< [samples] classes; empty where there are none, or none are needed
  std::size_t samples = 0;
  std::span<const float> numbers{};  ///< [samples] numbers to predict, scaled; the same
  std::span<const float> shares{};   ///< [samples, classes] soft labels, instead of classes
  /// Seeds what the network draws in this step of its training, such as dropout. None: it does not draw, and gives the
  /// derivatives of what it answers without.
  std::optional<std::uint64_t> draws{};
  std::span<const float> weights{};  ///< [samples] how often each loss counts; empty: once
  Targets targets() const {
    return {.classes = labels,
            .numbers = numbers,
            .shares = shares,
            .width = samples > 0 ? shares.size() / samples : 0,
            .weights = weights};
  }
  /// One of its samples by itself, with draws of its own.
  Batch sample(std::size_t which) const;
};

/// The weight of a new batch in running statistics: they move by this share of the way to its means and (unbiased)
/// variances.
inline constexpr double statistics_momentum = 0.1;

/// What the derivative, along a direction in the trainable values, of all gradients of the mean loss is written to.
/// Empty: it is not asked for, which saves its work.
struct DirectionalGradients {
  std::span<float> trainable{};  ///< [trainable] the Hessian times the direction
  std::span<float> features{};   ///< [samples, features] of the gradient in what the network reads
  std::span<float> shares{};     ///< [samples, classes] of the gradient in soft labels; for objectives that take them
};

/// A network's arithmetic over flat memory: the port behind which LibTorch, or our own kernels, live. One per rank; it
/// owns its work buffers, which are allocated at the largest batch seen and reused. Calls are not reentrant. The same
/// arguments give the same bits.
class Network {
 public:
  virtual ~Network() = default;
  virtual const ParameterLayout& layout() const = 0;
  virtual const ModelShape& shape() const = 0;
  /// The layers that it is made of; null: it does not show any.
  virtual const Architecture* architecture() const { return nullptr; }
  /// Fresh parameters (PyTorch's default initialisation: uniform within 1/sqrt(fan_in)), by our own generator.
  virtual void initialise(Stream& random, std::span<float> parameters) const = 0;
  /// Outputs [samples, outputs]: logits of the classes, or predictions of numbers.
  virtual void outputs(std::span<const float> parameters, const Batch& batch, std::span<float> out) = 0;
  /// Mean loss over the batch and its gradient with respect to the trainable values, written (not added) to `gradient`
  /// [trainable]. Moves running statistics, which are buffers inside `parameters`.
  virtual double gradient(std::span<float> parameters, const Batch& batch, std::span<float> gradient) = 0;
  /// The sum over the samples of the gradients of their single losses, each shortened to a Euclidean norm of `bound`,
  /// written to `sum` [trainable]; returns the sum of the losses. A batch may be empty. What is no finite number stays
  /// none. For networks without running statistics, and objectives that compare no samples. Here sample by sample.
  virtual double clipped_gradients(std::span<float> parameters, const Batch& batch, double bound, std::span<float> sum);
  /// Derivatives of the mean loss's gradients along `direction` [trainable] by one pass forwards and backwards whose
  /// values carry their derivatives (Pearlmutter, "Fast Exact Multiplication by the Hessian", Neural Computation 1994).
  /// With direction v held constant that of the features is the gradient of v times the gradient: what a search for
  /// samples with a given gradient follows. Running statistics are left as they are. Where the network follows
  /// statistics `direction` may be [dimension]: then the derivatives of its last values times the buffers' moves in
  /// `gradient` are added.
  virtual void directional(std::span<const float> parameters, const Batch& batch, std::span<const float> direction,
                           const DirectionalGradients& out) = 0;
  /// Whether it differentiates how running statistics move; where there are none there is nothing to do.
  virtual bool follows_statistics() const { return layout().trainable() == layout().dimension(); }
  /// Hessian of the mean loss times `direction` [trainable], written to `out` [trainable].
  void hessian_vector(std::span<const float> parameters, const Batch& batch, std::span<const float> direction,
                      std::span<float> out) {
    directional(parameters, batch, direction, {.trainable = out});
  }
  /// Multiply-adds, counted as two flops each, of one forward pass for one sample.
  virtual double forward_flops() const = 0;
  /// Work memory, where it is trained on batches of so many samples and tested on batches of so many; parameters and
  /// gradients are the caller's.
  virtual Footprint footprint(std::size_t trained, std::size_t tested) const = 0;
  /// Whether `descend` is there.
  virtual bool descends() const { return false; }
  /// One step of plain gradient descent on the mean loss, returned as it was before:
  ///   trainable = (1 - learning_rate * weight_decay) * trainable - learning_rate * gradient.
  /// Saves a pass over the parameters by adding the step where the gradient is computed; rounds differently from the
  /// two-pass way.
  virtual double descend(std::span<float> parameters, const Batch& batch, double learning_rate, double weight_decay);
};

/// What shortens a vector of this Euclidean norm to `bound`.
double clipping_factor(double norm, double bound);

/// Builds the network chosen in `model` for this input, to be trained on `objective` (null: cross-entropy of classes,
/// or the squared error of numbers). `device` is "cpu", "cuda" or "cuda:K". Throws InputError where the network cannot
/// read such input (too small an image) or the device is not there.
std::unique_ptr<Network> make_network(const scenario::Model& model, const ModelShape& shape, const std::string& device,
                                      std::shared_ptr<const Objective> objective = nullptr);

}  // namespace souk
