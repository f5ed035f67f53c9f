#include "attacks/attack.hpp"
#include "scenarios/attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Every number with its sign turned: the worst model looks best. NaN stays NaN.
class FalseReports final : public ReportAttack {
 public:
  explicit FalseReports(const scenario::FalseReports&) {}

  Knowledge knowledge() const override { return Knowledge::own; }

  void report(const ReportInput& input, Stream&) const override {
    for (double& value : input.own) value = -value;
  }
};

const Register<ReportAttack, FalseReports, scenario::FalseReports> registered;

}  // namespace
}  // namespace souk
