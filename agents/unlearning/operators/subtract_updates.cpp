#include "agents/unlearning/kept_shares.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Takes the kept updates of the forgotten out of the model, as they were weighed. Nobody takes their place:
/// fed_recovery lets the others.
class SubtractUpdates final : public UnlearningOperator {
 public:
  explicit SubtractUpdates(const scenario::SubtractUpdates& config) : config_(config) {}

  Forgettable forgets() const override { return {.units = false, .graph = false}; }
  HistoryNeeds needs() const override { return {.updates_every = 1}; }
  void check(const World& world) const override { require_plain_steps(world); }

  ForgettingCost forget(const ForgettingCase& request, RoundRecord&) override {
    for (ModelServer* server : request.servers) {
      server->take_model(taken_out(request, *server, share_of_forgotten(kept_steps(request, *server)), config_.factor(),
                                   config_.noise()));
    }
    return {};
  }

 private:
  const scenario::SubtractUpdates& config_;
};

const Register<UnlearningOperator, SubtractUpdates, scenario::SubtractUpdates> register_subtract_updates;

}  // namespace
}  // namespace souk
