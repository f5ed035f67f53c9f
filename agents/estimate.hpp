#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "sim/base/footprint.hpp"

namespace souk::scenario {
class Scenario;
}

namespace souk {

class Dataset;

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

/// Throws InputError where the ranks of this node would need more memory than it can give.
void require_memory(const RunEstimate& estimate, int ranks_on_node);

/// The least that the ranks of a node need for so many models, known from the list of layers and the numbers of clients
/// and classes: refused before anything is allocated for them. Throws InputError.
void require_room_for_models(const scenario::Scenario& scenario, const Dataset& train, std::size_t models,
                             int node_ranks, int ranks);

}  // namespace souk
