#include <algorithm>
#include <cmath>

#include "scenarios/learning.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/objectives/error_loss.hpp"

namespace souk {
namespace {

/// Huber, "Robust Estimation of a Location Parameter", 1964.
class Huber final : public ErrorLoss {
 public:
  explicit Huber(const scenario::Huber& config) : delta_(config.delta()) {}

 private:
  double loss(double error) const override {
    const double size = std::abs(error);
    return size <= delta_ ? 0.5 * error * error : delta_ * (size - 0.5 * delta_);
  }
  double slope(double error) const override { return std::clamp(error, -delta_, delta_); }
  double bend(double error) const override { return std::abs(error) <= delta_ ? 1.0 : 0.0; }
  double delta_;
};

const Register<Objective, Huber, scenario::Huber> register_huber;

}  // namespace
}  // namespace souk
