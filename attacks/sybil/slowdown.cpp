#include "attacks/sybil/mixture.hpp"
#include "scenarios/sybil_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Song et al., code of the benchmark: next to nothing, in the own direction.
class Slowdown final : public SybilMixture {
 public:
  explicit Slowdown(const scenario::SybilSlowdown& config)
      : SybilMixture(config.memory(), config.scale(), 0.0, "slowdown.scale = 1") {}
};

const Register<UpdateAttack, Slowdown, scenario::SybilSlowdown> register_slowdown;

}  // namespace
}  // namespace souk
