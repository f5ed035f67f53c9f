#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agents/shared_data.hpp"
#include "sim/base/footprint.hpp"
#include "sim/engine/protocol.hpp"

namespace souk::scenario {
class Scenario;
}

namespace souk {

/// What a scenario will need, known without running it.
struct RunEstimate {
  std::size_t clients = 0;
  std::size_t updates_per_round = 0;
  std::size_t parameters = 0;
  std::size_t malicious_per_round = 0;       ///< expected, rounded up
  std::optional<std::size_t> tolerated_f{};  ///< what the aggregator is told to withstand, if it wants to know
  double bytes_down_per_round = 0.0, bytes_up_per_round = 0.0;  ///< of the simulated protocol
  double flops_per_test = 0.0;                                  ///< of the whole test set
  std::vector<PartFootprint> parts{};  ///< as each states it; of ranks whose clients take equally long
  /// Of a rank, and of what the ranks of a node share.
  double rank_bytes() const { return sum_of(parts).rank(); }
  double node_bytes() const { return sum_of(parts).node; }
  /// Of local training in a round, all clients; and of rules and valuations that judge models, at most.
  double training_flops() const;
  double judging_flops() const;
};

/// Federated learning: announce, train, attack, collect, aggregate, apply, evaluate. Construction is collective: it
/// loads the data set, deals it, and checks everything that depends on it; throws PhaseError.
class Federated : public Protocol {
 public:
  /// On this many ranks.
  virtual RunEstimate estimate(int ranks) const = 0;
};

/// Throws InputError where the ranks of this node would need more memory than it can give.
void require_memory(const RunEstimate& estimate, int ranks_on_node);

/// `data` is the scenario's, as load_shared_data gives it on the same node; where it is empty, that is done first.
std::unique_ptr<Federated> make_federated(const Comm& comm, const scenario::Scenario& scenario,
                                          const std::string& device, SharedData data = {});

}  // namespace souk
