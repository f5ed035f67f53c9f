#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace souk::scenario {
class Server;
}

namespace souk {

class Archive;

/// What the server does with an aggregated step. State is replicated: every rank computes the same bits.
class ServerOptimizer {
 public:
  virtual ~ServerOptimizer() = default;
  /// Changes `parameters` [d] by `step` [d].
  virtual void apply(std::span<const float> step, float learning_rate, std::span<float> parameters) = 0;
  /// Vectors [d] that it keeps between rounds.
  virtual std::size_t vectors() const = 0;
  virtual void serialize(Archive& archive) = 0;
};

/// The optimiser chosen in the scenario.
std::unique_ptr<ServerOptimizer> make_server_optimizer(const scenario::Server& config);

}  // namespace souk
