#pragma once

#include <vector>

#include "agents/unlearning/operator.hpp"

namespace souk {

/// Throws InputError where the server makes something else of a step than adding it, so that updates cannot be taken
/// out.
void require_plain_steps(const World& world);

/// What the forgotten clients have added to an owner's model by their kept updates, [trainable]: the sum over rounds of
/// update times weight, times the server's rate. Where a rule has no weights, each of the n updates of a round counts
/// one nth. Collective.
std::vector<double> kept_share(const ForgettingCase& request, const ModelServer& server);

}  // namespace souk
