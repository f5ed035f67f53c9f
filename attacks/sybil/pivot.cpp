#include "attacks/sybil/mixture.hpp"
#include "scenarios/sybil_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Song et al., code of the benchmark: losers submit what won.
class Pivot final : public SybilMixture {
 public:
  explicit Pivot(const scenario::SybilPivot& config) : SybilMixture(config.memory(), 0.0, 1.0, "pivot") {}
};

const Register<UpdateAttack, Pivot, scenario::SybilPivot> register_pivot;

}  // namespace
}  // namespace souk
