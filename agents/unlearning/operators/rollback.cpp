#include <fmt/format.h>

#include "agents/unlearning/operator.hpp"
#include "agents/unlearning/retraining.hpp"
#include "scenarios/unlearning.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Back to the newest state that nothing forgotten had touched, and from there on without it.
class Rollback final : public UnlearningOperator {
 public:
  explicit Rollback(const scenario::Rollback& config) : config_(config) {}

  Forgettable forgets() const override { return {.changes = true}; }

  HistoryNeeds needs() const override { return {.states_every = config_.every(), .states = config_.keep()}; }

  bool retrains() const override { return true; }

  ForgettingCost forget(const ForgettingCase& request, RoundRecord& record) override {
    Retraining retraining(request.world);
    const SavedState* state = request.history.state_before(request.touched);
    if (state != nullptr) retraining.start_from(*state);
    record.events.push_back({"rolled back", -1,
                             fmt::format("to the state after round {}; the forgotten took part from round {} on",
                                         state == nullptr ? 0 : state->after.value, request.touched.value)});
    retraining.train_through({request.round.value - 1});
    for (std::size_t i = 0; i < request.servers.size(); ++i) request.servers[i]->take_over(retraining.model(i));
    return retraining.cost();
  }

 private:
  const scenario::Rollback& config_;
};

const Register<UnlearningOperator, Rollback, scenario::Rollback> register_rollback;

}  // namespace
}  // namespace souk
