#include <algorithm>

#include "attacks/sybil/mixture.hpp"
#include "scenarios/sybil_attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Song et al., code of the benchmark: twice the mimic's share.
class KnockOut final : public SybilMixture {
 public:
  explicit KnockOut(const scenario::SybilKnockOut& config)
      : SybilMixture(config.memory(), 1.0 - std::min(2.0 * config.alpha(), 1.0), std::min(2.0 * config.alpha(), 1.0),
                     "knock_out.alpha = 0") {}
};

const Register<UpdateAttack, KnockOut, scenario::SybilKnockOut> register_knock_out;

}  // namespace
}  // namespace souk
