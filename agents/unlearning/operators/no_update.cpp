#include "agents/unlearning/operator.hpp"
#include "scenarios/unlearning.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Nothing is done to the model.
class NoUpdate final : public UnlearningOperator {
 public:
  explicit NoUpdate(const scenario::NoUpdate&) {}

  Forgettable forgets() const override { return {.changes = true, .clusters = true}; }

  ForgettingCost forget(const ForgettingCase&, RoundRecord&) override { return {}; }
};

const Register<UnlearningOperator, NoUpdate, scenario::NoUpdate> register_no_update;

}  // namespace
}  // namespace souk
