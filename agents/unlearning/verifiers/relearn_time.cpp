#include <algorithm>
#include <vector>

#include "agents/unlearning/client_sums.hpp"
#include "agents/unlearning/verifier.hpp"
#include "scenarios/unlearning.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// By how many steps of gradient descent on what was forgotten bring its loss back to where it was before.
class ByRelearning final : public UnlearningVerifier {
 public:
  explicit ByRelearning(const scenario::RelearnTime& config) : config_(config) {}

  void check(const World& world) const override {
    SOUK_REQUIRE(world.federation.data().graph.nodes() == 0,
                 "learns samples again, and of a graph they may be gone with their edges");
  }

  std::optional<Verification> verify(const Evidence& evidence) const override {
    if (!evidence.look_before.forgotten) return std::nullopt;
    const std::uint32_t taken = steps(evidence, evidence.look_before.loss_as_trained);
    return Verification{taken >= config_.least(), static_cast<double>(taken)};
  }

 private:
  std::uint32_t steps(const Evidence& evidence, double goal) const {
    const Federation& federation = evidence.server.federation();
    std::vector<float> model(evidence.after.begin(), evidence.after.end()), work = model;
    ClientSums sums(evidence.server, evidence.holders);
    const double rate = config_.learning_rate() / static_cast<double>(sums.units());
    for (std::uint32_t step = 0; step < config_.least(); ++step) {
      if (sums.mean_loss(federation.task(), model) <= goal) return step;
      const std::vector<double> gradient = sums.sum([&](UnitSet some, const BatchEdit& edit, std::span<float> out) {
        std::ranges::copy(model, work.begin());
        federation.task().gradient(work, some, out, edit);
      });
      for (std::size_t v = 0; v < gradient.size(); ++v) model[v] -= static_cast<float>(rate * gradient[v]);
    }
    return config_.least();
  }

  const scenario::RelearnTime& config_;
};

const Register<UnlearningVerifier, ByRelearning, scenario::RelearnTime> register_by_relearning;

}  // namespace
}  // namespace souk
