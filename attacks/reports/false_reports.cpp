#include "attacks/report_attack.hpp"
#include "scenarios/attacks.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Every number with its sign turned: the worst model looks best. NaN stays NaN.
class FalseReports final : public ReportWith<OwnReports> {
 public:
  explicit FalseReports(const scenario::FalseReports&) {}

  void report(const ReportView<OwnReports>& view, Stream&) const override {
    for (double& value : view.own) value = -value;
  }
};

const Register<ReportAttack, FalseReports, scenario::FalseReports> register_false_reports;

}  // namespace
}  // namespace souk
