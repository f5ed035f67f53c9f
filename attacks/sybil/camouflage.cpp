#include "attacks/sybil/mixture.hpp"
#include "scenarios/sybil_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Song et al., code of the benchmark: the mimic's mixture, amplified.
class Hidden final : public SybilMixture {
 public:
  explicit Hidden(const scenario::Camouflage& config)
      : SybilMixture(config.memory(), config.amplify() * (1.0 - config.alpha()), config.amplify() * config.alpha(),
                     "camouflage.alpha = 0 and amplify = 1") {}
};

const Register<UpdateAttack, Hidden, scenario::Camouflage> register_hidden;

}  // namespace
}  // namespace souk
