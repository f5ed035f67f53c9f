#include <vector>

#include "agents/unlearning/client_sums.hpp"
#include "agents/unlearning/fresh_server.hpp"
#include "agents/unlearning/operator.hpp"
#include "agents/unlearning/short_training.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

/// More rounds, of all clients that stay.
class FineTune final : public UnlearningOperator {
 public:
  explicit FineTune(const scenario::FineTune& config) : config_(config) {}

  Forgettable forgets() const override { return {.changes = true}; }

  void check(const World& world) const override { FreshServer::check(world); }

  ForgettingCost forget(const ForgettingCase& request, RoundRecord&) override {
    ClientsAtWork work(request.comm(), request.federation());
    std::vector<AgentId> clients;
    for (const DealtUnits& holder : units_that_stay(request.federation())) clients.push_back(holder.client);
    for (ModelServer* server : request.servers) {
      Stream random(request.scenario().seed(), streams::unlearning_noise(server->index(), request.round));
      std::vector<float> model(server->parameters().begin(), server->parameters().end());
      FreshServer fresh(*server);
      for (std::uint32_t r = 0; r < config_.rounds() && !clients.empty(); ++r) {
        const std::uint64_t seed = random.next_seed();  // of batches: the coming round draws its own anyway
        const ColumnMatrix& updates = work.train(clients, model, {.seed = seed, .round = request.round});
        fresh.apply(request.round, clients, updates, model);
      }
      server->take_model(model);
    }
    return work.cost();
  }

 private:
  const scenario::FineTune& config_;
};

const Register<UnlearningOperator, FineTune, scenario::FineTune> register_fine_tune;

}  // namespace
}  // namespace souk
