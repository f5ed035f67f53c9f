#include "agents/estimate.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "agents/training/model_server.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/memory.hpp"
#include "sim/data/dataset.hpp"
#include "sim/learn/architecture.hpp"

namespace souk {
namespace {

constexpr double models_on_rank = 6.0;  ///< global, local, gradient, step, server state (at most two)

/// Of the parts of this name, of all owners.
double flops_of(std::span<const PartFootprint> parts, const std::string& name) {
  double flops = 0.0;
  for (const PartFootprint& part : parts) flops += part.part.ends_with(name) ? part.footprint.flops : 0.0;
  return flops;
}

}  // namespace

double RunEstimate::training_flops() const { return flops_of(parts, ModelServer::training_part); }
double RunEstimate::judging_flops() const { return flops_of(parts, ModelServer::judging_part); }

void require_memory(const RunEstimate& estimate, int ranks_on_node) {
  const double needed = estimate.rank_bytes() * static_cast<double>(ranks_on_node);
  const double available = available_memory();
  SOUK_REQUIRE(needed <= available, "the scenario needs {} ({} rank(s) with {} each), this node has {} to give",
               bytes_text(needed), ranks_on_node, bytes_text(estimate.rank_bytes()), bytes_text(available));
}

void require_room_for_models(const scenario::Scenario& scenario, const Dataset& train, std::size_t models,
                             int node_ranks, int ranks) {
  const auto parameters = static_cast<double>(parameter_count(scenario.task().model(), train));
  const std::size_t clients = scenario.participants().clients();
  const scenario::Participants& participants = scenario.participants();
  const double everyone = static_cast<double>(clients);
  const double updates = participants.everyone()       ? everyone
                         : participants.has_fraction() ? participants.fraction() * everyone
                         : participants.has_poisson()  ? participants.poisson() * everyone
                         : participants.has_rotation() ? everyone / participants.rotation()
                                                       : std::min<double>(participants.per_round(), everyone);
  const double copies = models_on_rank * static_cast<double>(models) + std::ceil(updates / ranks);
  const double model = copies * parameters * sizeof(float) * node_ranks;
  const double available = available_memory();
  SOUK_REQUIRE(
      model <= available,
      "task.model: the network has {:.0f} parameters, of which {} rank(s) hold at least {:.0f} copies each: {}, "
      "and this node has {} to give",
      parameters, node_ranks, copies, bytes_text(model), bytes_text(available));
  const double table = static_cast<double>(clients) * train.classes() * sizeof(std::uint32_t) * node_ranks;
  SOUK_REQUIRE(table <= available,
               "participants.clients = {}: to count the samples of {} classes of each takes {} on {} rank(s), and this "
               "node has {} to give",
               clients, train.classes(), bytes_text(table), node_ranks, bytes_text(available));
}

}  // namespace souk
