#include "attacks/sybil/mixture.hpp"
#include "scenarios/sybil_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Song et al., code of the benchmark: more than what won.
class Inflation final : public SybilMixture {
 public:
  explicit Inflation(const scenario::CostInflation& config)
      : SybilMixture(config.memory(), 0.0, config.scale(), "cost_inflation") {}
};

const Register<UpdateAttack, Inflation, scenario::CostInflation> register_inflation;

}  // namespace
}  // namespace souk
