#include "agents/unlearning/operator.hpp"
#include "agents/unlearning/retraining.hpp"
#include "scenarios/unlearning.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Training anew, from the first round, without what is forgotten.
class Retrain final : public UnlearningOperator {
 public:
  explicit Retrain(const scenario::Retrain&) {}

  Forgettable forgets() const override { return {.changes = true}; }

  bool retrains() const override { return true; }

  ForgettingCost forget(const ForgettingCase& request, RoundRecord&) override {
    Retraining retraining(request.world);
    retraining.train_through({request.round.value - 1});
    for (std::size_t i = 0; i < request.servers.size(); ++i) request.servers[i]->take_over(retraining.model(i));
    return retraining.cost();
  }
};

const Register<UnlearningOperator, Retrain, scenario::Retrain> register_retrain;

}  // namespace
}  // namespace souk
