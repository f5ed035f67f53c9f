#include "aggregators/rejection.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Fang, Cao, Jia, Gong, "Local Model Poisoning Attacks to Byzantine-Robust Federated Learning", USENIX Security 2020,
/// section 5.2: loss-function based rejection.
class LfrRejection final : public Rejection {
 public:
  explicit LfrRejection(const scenario::Lfr& config)
      : Rejection("lfr", config.f(), {.error = false, .loss = true}, make_base(config), config.base().tolerated_f()) {}
};

const Register<Aggregator, LfrRejection, scenario::Lfr> register_lfr_rejection;

}  // namespace
}  // namespace souk
