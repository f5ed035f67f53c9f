#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "agents/cast/federation.hpp"
#include "agents/stage.hpp"
#include "sim/params/update_matrix.hpp"

namespace souk {

/// How clients train outside of a round.
struct ShortTraining {
  std::uint64_t seed = 1;    ///< with client and round, the name of their batches
  RoundIndex round;          ///< whose learning rate they train with
  std::uint32_t passes = 0;  ///< over their samples; 0: as the scenario says
};

/// What clients that stay make of a model by local training that no attack touches, spread over the ranks. Keeps its
/// memory.
class ClientsAtWork {
 public:
  ClientsAtWork(const Comm& comm, const Federation& federation) : comm_(comm), federation_(federation) {}
  /// Updates [clients, trainable] in the order of `clients`, which ascend; stay until the next call. Collective.
  const ColumnMatrix& train(std::span<const AgentId> clients, std::span<const float> model, const ShortTraining& how);
  const ForgettingCost& cost() const { return cost_; }

 private:
  const Comm& comm_;
  const Federation& federation_;
  RowMatrix rows_;
  ColumnMatrix updates_;
  ForgettingCost cost_;
};

}  // namespace souk
