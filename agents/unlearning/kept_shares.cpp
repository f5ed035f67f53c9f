#include "agents/unlearning/kept_shares.hpp"

#include <algorithm>
#include <cmath>

#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

bool is_forgotten(const KeptSteps& steps, AgentId client) {
  return std::ranges::binary_search(steps.forgotten, client);
}

/// Adds update times weight times `factor` of those of a round that are forgotten, or of the others.
void add_updates(const KeptSteps& steps, const KeptRound& kept, bool forgotten, double factor,
                 std::vector<double>& sum) {
  std::vector<float> update(steps.dimension);
  for (std::size_t k = 0; k < kept.clients.size(); ++k) {
    if (is_forgotten(steps, kept.clients[k]) != forgotten) continue;
    replicate(steps.comm, PanelPlan(steps.dimension), kept.updates[k], update);
    for (std::size_t v = 0; v < sum.size(); ++v) sum[v] += factor * kept.weights[k] * static_cast<double>(update[v]);
  }
}

}  // namespace

void require_plain_steps(const World& world) {
  SOUK_REQUIRE(world.scenario.server().has_sgd() && world.scenario.server().sgd().momentum() == 0.0,
               "takes steps out of the model, and the server's optimizer makes others of them");
}

KeptSteps kept_steps(const ForgettingCase& request, const ModelServer& server) {
  return {request.comm(), request.history.of(server.index()).rounds(), request.now.clients, server.trainable().size()};
}

std::vector<double> share_of_forgotten(const KeptSteps& steps) {
  std::vector<double> sum(steps.dimension, 0.0);
  for (const KeptRound& kept : steps.rounds) add_updates(steps, kept, true, 1.0, sum);
  return sum;
}

std::vector<double> turn_by_forgotten(const KeptSteps& steps, RoundIndex last, double per_round) {
  std::vector<double> sum(steps.dimension, 0.0);
  for (const KeptRound& kept : steps.rounds) {
    double all = 0.0, others = 0.0;  // weights of those who were not forgotten before
    for (std::size_t k = 0; k < kept.clients.size(); ++k) {
      all += kept.weights[k];
      if (!is_forgotten(steps, kept.clients[k])) others += kept.weights[k];
    }
    if (others == all) continue;
    // Whoever is left makes the whole step.
    const double before = kept.total / all, after = others == 0.0 ? 0.0 : kept.total / others;
    const double factor = std::pow(per_round, last.value - kept.round.value);
    add_updates(steps, kept, true, factor * before, sum);
    add_updates(steps, kept, false, factor * (before - after), sum);
  }
  return sum;
}

std::vector<float> taken_out(const ForgettingCase& request, const ModelServer& server, std::span<const double> what,
                             double factor, double sigma) {
  const double taken = factor * request.scenario().server().learning_rate();
  std::vector<float> model(server.parameters().begin(), server.parameters().end());
  Stream noise(request.scenario().seed(), streams::unlearning_noise(server.index(), request.round));
  for (std::size_t v = 0; v < what.size(); ++v) {
    double value = static_cast<double>(model[v]) - taken * what[v];
    if (sigma > 0.0) value += sigma * noise.normal();
    model[v] = static_cast<float>(value);
  }
  return model;
}

}  // namespace souk
