#pragma once

#include <span>
#include <vector>

#include "agents/unlearning/operator.hpp"

namespace souk {

/// Throws InputError where the server makes something else of a step than adding it, so that updates cannot be taken
/// out.
void require_plain_steps(const World& world);

/// Kept updates of those who are forgotten and of the others. Where a rule has no weights, each of the n updates of a
/// round counts one nth.
struct KeptSteps {
  const Comm& comm;
  std::span<const KeptRound> rounds;
  std::span<const AgentId> forgotten;  ///< ascending
  std::size_t dimension;               ///< of the trainable values
};
KeptSteps kept_steps(const ForgettingCase& request, const ModelServer& server);

/// What the forgotten have added to the model, [dimension], at a server rate of 1: the sum over rounds of update times
/// weight. Collective.
std::vector<double> share_of_forgotten(const KeptSteps& steps);

/// By how much they have turned it, [dimension], at a server rate of 1: the sum over rounds of the step that all kept
/// updates make, minus the one that those of the others make in their place, with the weight of all; times `per_round`
/// for every round from there to `last`. Where nobody else was there, the others make no step. Collective.
std::vector<double> turn_by_forgotten(const KeptSteps& steps, RoundIndex last, double per_round);

/// The model minus `factor` times the server's rate times `what`, [trainable], plus normal noise of standard deviation
/// `sigma` by the owner's stream.
std::vector<float> taken_out(const ForgettingCase& request, const ModelServer& server, std::span<const double> what,
                             double factor, double sigma);

}  // namespace souk
