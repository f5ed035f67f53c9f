#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sim/base/footprint.hpp"
#include "sim/base/ids.hpp"
#include "sim/base/random.hpp"
#include "sim/data/dataset.hpp"
#include "sim/params/parameter_layout.hpp"

namespace souk::scenario {
class Model;
class Training;
}  // namespace souk::scenario

namespace souk {

/// What a network reads and answers.
struct ModelShape {
  std::array<std::size_t, 3> input{1, 1, 1};  ///< channels, height, width
  int classes = 2;
  std::size_t vocabulary = 0;  ///< inputs are token numbers below this; 0: inputs are quantities
};

/// What a network for this data set reads and answers.
inline ModelShape model_shape(const Dataset& data) {
  return {.input = data.shape().sample_shape, .classes = data.classes(), .vocabulary = data.shape().vocabulary};
}

/// A mini-batch in memory: features [samples, features], scaled; labels [samples].
struct Batch {
  std::span<const float> features;
  std::span<const std::int32_t> labels;
  std::size_t samples = 0;
};

/// How a forward pass treats layers that behave differently in training.
enum class Mode : std::uint8_t { train, evaluate };

/// A network's arithmetic over flat memory: the port behind which LibTorch, or our own kernels, live. One per rank; it
/// owns its work buffers, which are allocated at the largest batch seen and reused. Calls are not reentrant. The same
/// arguments give the same bits.
class Network {
 public:
  virtual ~Network() = default;
  virtual const ParameterLayout& layout() const = 0;
  virtual const ModelShape& shape() const = 0;
  /// Fresh parameters (PyTorch's default initialisation: uniform within 1/sqrt(fan_in)), by our own generator.
  virtual void initialise(Stream& random, std::span<float> parameters) const = 0;
  /// Logits [samples, classes].
  virtual void logits(std::span<const float> parameters, const Batch& batch, std::span<float> out) = 0;
  /// Mean cross-entropy over the batch and its gradient with respect to the trainable values, written (not added) to
  /// `gradient` [trainable]. Mode train may update buffers inside `parameters`.
  virtual double gradient(std::span<float> parameters, const Batch& batch, std::span<float> gradient) = 0;
  /// Hessian of the mean cross-entropy times `direction` [trainable], written to `out` [trainable].
  virtual void hessian_vector(std::span<const float> parameters, const Batch& batch, std::span<const float> direction,
                              std::span<float> out) = 0;
  /// Multiply-adds, counted as two flops each, of one forward pass for one sample.
  virtual double forward_flops() const = 0;
  /// Work memory, where it is trained on batches of so many samples and tested on batches of so many; parameters and
  /// gradients are the caller's.
  virtual Footprint footprint(std::size_t trained, std::size_t tested) const = 0;
  /// Whether `descend` is there.
  virtual bool descends() const { return false; }
  /// One step of plain gradient descent on the mean cross-entropy, returned as it was before:
  ///   trainable = (1 - learning_rate * weight_decay) * trainable - learning_rate * gradient.
  /// Saves a pass over the parameters by adding the step where the gradient is computed; rounds differently from the
  /// two-pass way.
  virtual double descend(std::span<float> parameters, const Batch& batch, double learning_rate, double weight_decay);
};

/// Builds the network chosen in `model` for this input. `device` is "cpu", "cuda" or "cuda:K". Throws InputError where
/// the network cannot read such input (too small an image) or the device is not there.
std::unique_ptr<Network> make_network(const scenario::Model& model, const ModelShape& shape, const std::string& device);

/// What local training did.
struct LocalResult {
  double loss = 0.0;          ///< mean loss over the mini-batches of the last pass
  std::uint64_t samples = 0;  ///< samples the client holds
  std::uint64_t steps = 0;
  double flops = 0.0;  ///< 3 forward passes' worth per sample seen
};

/// Local training that is not as the scenario says: what an attacker may do with its own.
struct Steering {
  std::span<const float> start{};  ///< [trainable] where training starts, minus the global parameters; empty: there
  double rate_factor = 1.0;        ///< times the scenario's learning rate
  std::uint32_t epochs = 0;        ///< passes over the samples; 0: as the scenario says
  /// Called with the trainable parameters and their gradient before the optimiser's step; may change the gradient.
  std::function<void(std::span<const float> parameters, std::span<float> gradient)> before_step{};
  /// Called with the trainable parameters after it; may change them.
  std::function<void(std::span<float> parameters)> after_step{};
};

/// Streams and schedule position of one client's local training.
struct LocalContext {
  std::uint64_t seed = 1;
  AgentId agent;
  RoundIndex round;
  std::uint32_t rounds = 1;            ///< of the whole run, for schedules
  std::function<void()> after_step{};  ///< heartbeat; may be empty
  const Steering* steering = nullptr;
};

/// Edits a mini-batch on its way to the network: where data poisoning acts. `which` are the samples' indices; labels
/// and features [which, features] may be changed in place.
using BatchEdit =
    std::function<void(std::span<const SampleIndex> which, std::span<float> features, std::span<std::int32_t> labels)>;

/// Local training by the scenario's algorithm on one network. Owns the flat work buffers (gradient, optimiser state,
/// batch), allocated once. The same arguments give the same bits.
class LocalTrainer {
 public:
  LocalTrainer(const scenario::Training& training, Network& network);
  ~LocalTrainer();
  LocalTrainer(const LocalTrainer&) = delete;
  LocalTrainer& operator=(const LocalTrainer&) = delete;
  /// Trains from `global` [dimension] on samples `mine` and writes local minus global to `update` [dimension].
  LocalResult train(std::span<const float> global, const Dataset& data, std::span<const SampleIndex> mine,
                    const BatchEdit& edit, const LocalContext& context, std::span<float> update);
  /// Learning rate of a round under the scenario's schedule.
  double learning_rate(RoundIndex round, std::uint32_t rounds) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Counts of one test batch, exact so that batches tested on different ranks add up to the same totals.
struct TestCounts {
  double loss_sum = 0.0;                 ///< cross-entropy summed in sample order
  std::vector<double> loss_of_class;     ///< [classes], the same by true class
  std::vector<std::uint32_t> correct;    ///< [classes], by true class
  std::vector<std::uint32_t> samples;    ///< [classes]
  std::vector<std::uint32_t> predicted;  ///< [classes], by predicted class; ties to the smaller
  std::vector<std::int32_t> answers;     ///< [samples] predicted class; -1 where a logit is NaN
};

/// Predicted class of every row of logits [samples, classes], ties to the smaller; -1 where one is NaN.
std::vector<std::int32_t> predicted_classes(std::span<const float> logits, std::size_t classes);

/// Tests `parameters` on the samples `which`, as one batch.
TestCounts test_batch(Network& network, std::span<const float> parameters, const Dataset& data,
                      std::span<const SampleIndex> which);

}  // namespace souk
