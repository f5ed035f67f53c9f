#pragma once

#include <span>
#include <vector>

#include "agents/unlearning/affected.hpp"
#include "agents/unlearning/mean_objective.hpp"

namespace souk {

/// Which gradients an influence function takes.
struct InfluenceTerms {
  bool neighbours = true;   ///< of graphs: of those who feel what goes, not of those alone who go
  bool regulariser = true;  ///< the weight decay's part that goes with the units
};

/// The gradients at `model` of affected units before minus after, [trainable]: what the objective's sum over units
/// loses. A unit that reads otherwise is affected, one that comes is after alone. Where u more units leave than come, u
/// times the weight decay times the parameters are a part of it. Adds to `cost`. Collective.
std::vector<double> gradients_lost(const ForgettingCase& request, ModelServer& server, const TaskBefore& before,
                                   std::span<const DealtUnits> stay, std::span<const float> model, InfluenceTerms terms,
                                   ForgettingCost& cost);

}  // namespace souk
