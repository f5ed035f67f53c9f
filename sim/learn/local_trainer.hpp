#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/data/dataset.hpp"
#include "sim/data/graphs/graph.hpp"

namespace souk::scenario {
class Training;
}

namespace souk {

class ParameterLayout;

/// What local training did.
struct LocalResult {
  double loss = 0.0;          ///< mean loss over the mini-batches of the last pass
  std::uint64_t samples = 0;  ///< samples the client holds
  std::uint64_t steps = 0;
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
  /// Of whoever's samples need no protection: steps are not private, whatever the scenario says.
  bool unprotected = false;
  /// Of a graph: edges that are seen in this training beside those that are there. Pairs of different nodes that are
  /// not joined, each once.
  std::span<const Edge> more_edges{};
  /// [trainable] added to every gradient: of a linear term of what the client minimises. Empty: there is none.
  std::span<const float> slope{};
};

/// A mini-batch on its way to the network, to be changed in place.
struct EditableBatch {
  std::span<const SampleIndex> which;  ///< [samples] in the training set
  std::span<float> features;           ///< [samples, features]
  std::span<std::int32_t> labels{};    ///< [samples]; empty where there are no classes
  std::span<float> numbers{};          ///< [samples] scaled; empty where there are classes
};

/// Edits a mini-batch: where data poisoning acts.
using BatchEdit = std::function<void(const EditableBatch&)>;

/// A mini-batch that is trained on next.
struct MiniBatch {
  std::span<const SampleIndex> which;
  const BatchEdit& edit;
  AgentId agent;
  RoundIndex round;
  std::uint64_t seed = 1;    ///< with agent, round and pass, the name of what is drawn for it
  std::uint32_t pass = 0;    ///< over the client's samples, low 16 bits: the others are in the seed
  bool begins_pass = false;  ///< it is the first of the pass
};

/// What local training asks of a task: losses and gradients of mini-batches. Not reentrant.
class Learner {
 public:
  virtual ~Learner() = default;
  virtual const ParameterLayout& layout() const = 0;
  /// Mean loss of the mini-batch and its gradient [trainable]. May move running statistics inside `parameters`.
  virtual double gradient(std::span<float> parameters, const MiniBatch& batch, std::span<float> gradient) = 0;
  /// The sum of the gradients of the single samples' losses, each shortened to a Euclidean norm of `bound`, written to
  /// `sum` [trainable]; returns the sum of the losses. Contract: the task has not refused private steps.
  virtual double clipped_gradients(std::span<float> parameters, const MiniBatch& batch, double bound,
                                   std::span<float> sum);
  /// Mean loss on what is neither trained on nor tested, for early stopping. Contract: there is such, or the task has
  /// refused it.
  virtual double validation_loss(std::span<const float> parameters);
  /// Whether it can take a plain step at once, parameters = (1 - rate decay) parameters - rate gradient.
  virtual bool descends() const { return false; }
  /// Takes it, and returns the mean loss before.
  virtual double descend(std::span<float> parameters, const MiniBatch& batch, double learning_rate,
                         double weight_decay);
};

/// One client's training in a round: what its mini-batches are drawn by.
struct TrainingTurn {
  std::uint64_t seed = 1;
  AgentId agent;
  RoundIndex round;
};

/// The samples `mine` in the order in which the pass of this number goes through them.
std::vector<SampleIndex> order_of_pass(const TrainingTurn& turn, std::uint32_t pass, std::span<const SampleIndex> mine);

/// Local training by the scenario's algorithm. Owns the flat work buffers (parameters, gradient, optimiser state),
/// allocated once. The same arguments give the same bits.
class LocalTrainer {
 public:
  LocalTrainer(const scenario::Training& training, Learner& learner);
  ~LocalTrainer();
  LocalTrainer(const LocalTrainer&) = delete;
  LocalTrainer& operator=(const LocalTrainer&) = delete;
  /// Trains from `global` [dimension] on samples `mine` and writes local minus global to `update` [dimension].
  LocalResult train(std::span<const float> global, std::span<const SampleIndex> mine, const BatchEdit& edit,
                    const LocalContext& context, std::span<float> update);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace souk
