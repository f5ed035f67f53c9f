#include <algorithm>
#include <cmath>

#include "agents/unlearning/verifier.hpp"
#include "scenarios/unlearning.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// By whether answers have changed at all.
class ByChange final : public UnlearningVerifier {
 public:
  explicit ByChange(const scenario::ChangedAnswers& config) : config_(config) {}

  std::optional<Verification> verify(const Evidence& evidence) const override {
    const Task& task = evidence.server.federation().task();
    if (task.classes() == 0) return std::nullopt;
    const Agreement agreement =
        agreement_of(evidence.look_before, evidence.look_after, static_cast<std::size_t>(task.classes()), true);
    return Verification{agreement.divergence >= config_.least(), agreement.divergence};
  }

 private:
  const scenario::ChangedAnswers& config_;
};

const Register<UnlearningVerifier, ByChange, scenario::ChangedAnswers> register_by_change;

}  // namespace
}  // namespace souk
