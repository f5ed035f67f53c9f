#include "agents/unlearning/verifier.hpp"
#include "scenarios/unlearning.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// By how well the loss still tells what was forgotten from units that were never there.
class ByLoss final : public UnlearningVerifier {
 public:
  explicit ByLoss(const scenario::LossOfMembers& config) : config_(config) {}

  std::optional<Verification> verify(const Evidence& evidence) const override {
    const std::optional<double> auc = membership_auc(evidence.look_after);
    if (!auc) return std::nullopt;
    return Verification{*auc <= config_.most(), *auc};
  }

 private:
  const scenario::LossOfMembers& config_;
};

const Register<UnlearningVerifier, ByLoss, scenario::LossOfMembers> register_by_loss;

}  // namespace
}  // namespace souk
