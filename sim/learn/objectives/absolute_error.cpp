#include <cmath>

#include "scenarios/learning.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/objectives/error_loss.hpp"

namespace souk {
namespace {

class AbsoluteError final : public ErrorLoss {
 public:
  explicit AbsoluteError(const scenario::AbsoluteError&) {}

 private:
  double loss(double error) const override { return std::abs(error); }
  double slope(double error) const override { return error > 0.0 ? 1.0 : (error < 0.0 ? -1.0 : error); }  // NaN stays
  double bend(double) const override { return 0.0; }
};

const Register<Objective, AbsoluteError, scenario::AbsoluteError> register_absolute_error;

}  // namespace
}  // namespace souk
