#include <algorithm>
#include <vector>

#include "agents/unlearning/client_sums.hpp"
#include "agents/unlearning/operator.hpp"
#include "agents/unlearning/retraining.hpp"
#include "scenarios/unlearning.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Steps up the mean loss on what is forgotten, in the data as they were.
class GradientAscent final : public UnlearningOperator {
 public:
  explicit GradientAscent(const scenario::GradientAscent& config) : config_(config) {}

  Forgettable forgets() const override { return {.graph = false}; }

  ForgettingCost forget(const ForgettingCase& request, RoundRecord&) override {
    const Federation& federation = request.federation();
    ForgettingCost cost;
    for (ModelServer* server : request.servers) {
      std::vector<float> model(server->parameters().begin(), server->parameters().end()), work = model;
      ClientSums sums(*server, request.holders);
      for (std::uint32_t s = 0; s < config_.steps() && sums.units() > 0; ++s) {
        const std::vector<double> gradient = sums.sum([&](UnitSet units, const BatchEdit& edit, std::span<float> out) {
          std::ranges::copy(model, work.begin());
          federation.task().gradient(work, units, out, edit);
        });
        const double rate = config_.learning_rate() / static_cast<double>(sums.units());
        for (std::size_t v = 0; v < gradient.size(); ++v) model[v] += static_cast<float>(rate * gradient[v]);
        cost += training_cost(federation, sums.units(), 1.0);
        cost.megabytes += 2.0 * static_cast<double>(request.holders.size() * model.size() * sizeof(float)) / 1e6;
        cost.messages += 2;
      }
      server->take_model(model);
    }
    return cost;
  }

 private:
  const scenario::GradientAscent& config_;
};

const Register<UnlearningOperator, GradientAscent, scenario::GradientAscent> register_gradient_ascent;

}  // namespace
}  // namespace souk
