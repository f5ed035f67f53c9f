#include <algorithm>

#include "agents/unlearning/verifier.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// By a backdoor that who asks has planted: a group whose data attack has a goal. The check of VeriFi's markers (Gao et
/// al., 2022) with the attacks that there are; the threshold is the scenario's.
class ByBackdoor final : public UnlearningVerifier {
 public:
  explicit ByBackdoor(const scenario::PlantedBackdoor& config) : config_(config) {}

  void check(const World& world) const override {
    SOUK_REQUIRE(world.scenario.attacks_size() > 0, "tries a trigger, and the scenario has no attackers who plant one");
  }

  std::optional<Verification> verify(const Evidence& evidence) const override {
    double most = -1.0;
    for (const AttackSuccess& success : evidence.look_after.test.attacks) most = std::max(most, success.rate);
    if (most < 0.0) return std::nullopt;
    return Verification{most <= config_.most(), most};
  }

 private:
  const scenario::PlantedBackdoor& config_;
};

const Register<UnlearningVerifier, ByBackdoor, scenario::PlantedBackdoor> register_by_backdoor;

}  // namespace
}  // namespace souk
