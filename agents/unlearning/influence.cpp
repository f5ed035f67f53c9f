#include "agents/unlearning/influence.hpp"

#include "agents/unlearning/retraining.hpp"

namespace souk {

std::vector<double> gradients_lost(const ForgettingCase& request, ModelServer& server, const TaskBefore& before,
                                   std::span<const DealtUnits> stay, std::span<const float> model, InfluenceTerms terms,
                                   ForgettingCost& cost) {
  std::vector<double> lost(server.trainable().size(), 0.0);
  double weight_decay = 0.0;
  const auto add = [&](std::span<const DealtUnits> holders, Task& task, double sign) {
    if (holders.empty()) return;
    MeanObjective part(server, task, holders, model);
    const std::vector<double> gradient = part.gradient_of_losses();
    for (std::size_t v = 0; v < lost.size(); ++v) lost[v] += sign * gradient[v];
    weight_decay = part.weight_decay();
    cost += part.cost();
  };
  const std::vector<DealtUnits> felt = terms.neighbours ? units_that_feel(request, stay) : std::vector<DealtUnits>();
  add(united(request.holders, felt), before.task(), 1.0);
  add(united(felt, request.changed), request.federation().task(), -1.0);
  if (!terms.regulariser) return lost;
  const auto leave = static_cast<double>(units_of(request.holders).size());
  const auto come = static_cast<double>(units_of(request.changed).size());
  const double weight = (leave - come) * weight_decay;
  for (std::size_t v = 0; v < lost.size(); ++v) lost[v] += weight * static_cast<double>(model[v]);
  return lost;
}

}  // namespace souk
