#include "attacks/sybil/mixture.hpp"
#include "scenarios/sybil_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Song et al., section 5.2 and its code: the default strategy.
class Mimicry final : public SybilMixture {
 public:
  explicit Mimicry(const scenario::SybilMimic& config)
      : SybilMixture(config.memory(), 1.0 - config.alpha(), config.alpha(), "sybil_mimic.alpha = 0") {}
};

const Register<UpdateAttack, Mimicry, scenario::SybilMimic> register_mimicry;

}  // namespace
}  // namespace souk
