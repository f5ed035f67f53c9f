#include "agents/unlearning/kept_shares.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Turns back what the forgotten turned the steps of the kept rounds by, the older the less, and adds noise. The form
/// of FedRecovery (Zhang et al., TIFS 2023), whose weights of the rounds and whose noise are not known to us; these are
/// a geometric series, and whatever the scenario says.
class FedRecovery final : public UnlearningOperator {
 public:
  explicit FedRecovery(const scenario::FedRecovery& config) : config_(config) {}

  Forgettable forgets() const override { return {.units = false, .graph = false}; }
  HistoryNeeds needs() const override { return {.updates_every = 1}; }
  void check(const World& world) const override { require_plain_steps(world); }

  ForgettingCost forget(const ForgettingCase& request, RoundRecord&) override {
    for (ModelServer* server : request.servers) {
      const std::vector<double> turn =
          turn_by_forgotten(kept_steps(request, *server), {request.round.value - 1}, config_.per_round());
      server->take_model(taken_out(request, *server, turn, config_.factor(), config_.noise()));
    }
    return {};
  }

 private:
  const scenario::FedRecovery& config_;
};

const Register<UnlearningOperator, FedRecovery, scenario::FedRecovery> register_fed_recovery;

}  // namespace
}  // namespace souk
