#pragma once

#include <memory>
#include <span>
#include <vector>

#include "agents/stage.hpp"
#include "agents/training/model_server.hpp"
#include "aggregators/aggregator.hpp"

namespace souk {

/// An owner's rule and server optimiser as they are before the first round, for those who aggregate outside of a round.
class FreshServer {
 public:
  /// Throws InputError where the rule asks for more than updates: root data, validators, the network.
  static void check(const World& world);
  explicit FreshServer(const ModelServer& server);
  /// Changes the trainable values of `model` by the step that the rule makes of the updates, whose clients ascend.
  /// Collective.
  void apply(RoundIndex round, std::span<const AgentId> clients, const ColumnMatrix& updates, std::span<float> model);

 private:
  const ModelServer& server_;
  std::unique_ptr<Aggregator> rule_;
  std::unique_ptr<ServerOptimizer> optimizer_;
};

}  // namespace souk
