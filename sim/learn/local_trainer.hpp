#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "sim/base/ids.hpp"
#include "sim/data/dataset.hpp"

namespace souk::scenario {
class Training;
}

namespace souk {

class Network;

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

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace souk
