#include "aggregators/rejection.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Fang, Cao, Jia, Gong, "Local Model Poisoning Attacks to Byzantine-Robust Federated Learning", USENIX Security 2020,
/// section 5.3: the union of both rejections.
class ErrLfrRejection final : public Rejection {
 public:
  explicit ErrLfrRejection(const scenario::ErrLfr& config)
      : Rejection("err_lfr", config.f(), {.error = true, .loss = true}, make_base(config),
                  config.base().tolerated_f()) {}
};

const Register<Aggregator, ErrLfrRejection, scenario::ErrLfr> register_err_lfr_rejection;

}  // namespace
}  // namespace souk
