#include "agents/unlearning/kept_shares.hpp"

#include <algorithm>
#include <cmath>

#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"

namespace souk {

void require_plain_steps(const World& world) {
  SOUK_REQUIRE(world.scenario.server().has_sgd() && world.scenario.server().sgd().momentum() == 0.0,
               "takes steps out of the model, and the server's optimizer makes others of them");
}

std::vector<double> kept_share(const ForgettingCase& request, const ModelServer& server) {
  std::vector<double> sum(server.trainable().size(), 0.0);
  std::vector<float> update(sum.size());
  const double rate = request.scenario().server().learning_rate();
  for (const KeptRound& kept : request.history.of(server.index()).rounds()) {
    for (std::size_t k = 0; k < kept.clients.size(); ++k) {
      if (!std::ranges::binary_search(request.now.clients, kept.clients[k])) continue;
      const double weight =
          std::isnan(kept.weights[k]) ? 1.0 / static_cast<double>(kept.clients.size()) : kept.weights[k];
      replicate(request.comm(), PanelPlan(sum.size()), kept.updates[k], update);
      for (std::size_t v = 0; v < sum.size(); ++v) sum[v] += rate * weight * static_cast<double>(update[v]);
    }
  }
  return sum;
}

}  // namespace souk
