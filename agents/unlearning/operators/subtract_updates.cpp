#include <vector>

#include "agents/unlearning/kept_shares.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

/// Takes the kept updates of the forgotten out of the model, as they were weighed. Removing a client's share of every
/// step, with noise, is the form of FedRecovery (Zhang et al., TIFS 2023), whose weights of the rounds are not known to
/// us: all count alike.
class SubtractUpdates final : public UnlearningOperator {
 public:
  explicit SubtractUpdates(const scenario::SubtractUpdates& config) : config_(config) {}

  Forgettable forgets() const override { return {.units = false, .graph = false}; }
  HistoryNeeds needs() const override { return {.updates_every = 1}; }
  void check(const World& world) const override { require_plain_steps(world); }

  ForgettingCost forget(const ForgettingCase& request, RoundRecord&) override {
    for (ModelServer* server : request.servers) {
      std::vector<float> model(server->parameters().begin(), server->parameters().end());
      const std::vector<double> share = kept_share(request, *server);
      Stream noise(request.scenario().seed(), streams::unlearning_noise(server->index(), request.round));
      for (std::size_t v = 0; v < share.size(); ++v) {
        double value = static_cast<double>(model[v]) - config_.factor() * share[v];
        if (config_.noise() > 0.0) value += config_.noise() * noise.normal();
        model[v] = static_cast<float>(value);
      }
      server->take_model(model);
    }
    return {};
  }

 private:
  const scenario::SubtractUpdates& config_;
};

const Register<UnlearningOperator, SubtractUpdates, scenario::SubtractUpdates> registered;

}  // namespace
}  // namespace souk
