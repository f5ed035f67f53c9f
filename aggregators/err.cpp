#include "aggregators/rejection.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Fang, Cao, Jia, Gong, "Local Model Poisoning Attacks to Byzantine-Robust Federated Learning", USENIX Security 2020,
/// section 5.1: error-rate based rejection.
class ErrRejection final : public Rejection {
 public:
  explicit ErrRejection(const scenario::Err& config)
      : Rejection("err", config.f(), {.error = true, .loss = false}, make_base(config), config.base().tolerated_f()) {}
};

const Register<Aggregator, ErrRejection, scenario::Err> register_err_rejection;

}  // namespace
}  // namespace souk
