#include "scenarios/learning.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/objectives/error_loss.hpp"

namespace souk {
namespace {

class SquaredError final : public ErrorLoss {
 public:
  explicit SquaredError(const scenario::SquaredError&) {}

 private:
  double loss(double error) const override { return error * error; }
  double slope(double error) const override { return 2.0 * error; }
  double bend(double) const override { return 2.0; }
};

const Register<Objective, SquaredError, scenario::SquaredError> register_squared_error;

}  // namespace
}  // namespace souk
