#include <vector>

#include "agents/unlearning/operator.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"

namespace souk {
namespace {

/// Blurs all parameters alike.
class AddNoise final : public UnlearningOperator {
 public:
  explicit AddNoise(const scenario::AddNoise& config) : config_(config) {}

  ForgettingCost forget(const ForgettingCase& request, RoundRecord&) override {
    for (ModelServer* server : request.servers) {
      std::vector<float> model(server->parameters().begin(), server->parameters().end());
      Stream noise(request.scenario().seed(), streams::unlearning_noise(server->index(), request.round));
      for (std::size_t v = 0; v < server->trainable().size(); ++v) {
        model[v] += static_cast<float>(config_.sigma() * noise.normal());
      }
      server->take_model(model);
    }
    return {};
  }

 private:
  const scenario::AddNoise& config_;
};

const Register<UnlearningOperator, AddNoise, scenario::AddNoise> register_add_noise;

}  // namespace
}  // namespace souk
