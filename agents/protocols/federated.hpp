#pragma once

#include <memory>
#include <optional>
#include <string>

#include "agents/shared_data.hpp"
#include "sim/engine/protocol.hpp"

namespace souk::scenario {
class Scenario;
}

namespace souk {

/// What a scenario will need, known without running it.
struct Footprint {
  std::size_t clients = 0;
  std::size_t updates_per_round = 0;
  std::size_t parameters = 0;
  std::size_t malicious_per_round = 0;       ///< expected, rounded up
  std::optional<std::size_t> tolerated_f{};  ///< what the aggregator is told to withstand, if it wants to know
  double bytes_down_per_round = 0.0, bytes_up_per_round = 0.0;                            ///< of the simulated protocol
  double data_bytes = 0.0;                                                                ///< per node
  double partition_bytes = 0.0, model_bytes = 0.0, update_bytes = 0.0, work_bytes = 0.0;  ///< per rank, if clients
                                                                                          ///< take equally long
  double flops_per_round = 0.0;  ///< of local training, all clients
  double flops_per_test = 0.0;   ///< of the whole test set
  /// Of rules and valuations that judge models, at most; 0 where none does.
  double judging_flops_per_round = 0.0;
  double rank_bytes() const { return partition_bytes + model_bytes + update_bytes + work_bytes; }
};

/// Federated learning: announce, train, attack, collect, aggregate, apply, evaluate. Construction is collective: it
/// loads the data set, deals it, and checks everything that depends on it; throws PhaseError.
class Federated : public Protocol {
 public:
  /// On this many ranks.
  virtual Footprint footprint(int ranks) const = 0;
};

/// Throws InputError where the ranks of this node would need more memory than it can give.
void require_memory(const Footprint& footprint, int ranks_on_node);

/// `data` is the scenario's, as load_shared_data gives it on the same node; where it is empty, that is done first.
std::unique_ptr<Federated> make_federated(const Comm& comm, const scenario::Scenario& scenario,
                                          const std::string& device, SharedData data = {});

}  // namespace souk
