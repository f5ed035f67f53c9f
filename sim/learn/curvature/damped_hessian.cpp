#include "sim/learn/curvature/damped_hessian.hpp"

#include <algorithm>
#include <utility>

#include "sim/base/contract.hpp"
#include "sim/learn/curvature/double_vectors.hpp"

namespace souk {

DampedHessian::DampedHessian(HessianProduct hessian, std::size_t dimension, double damping)
    : hessian_(std::move(hessian)), damping_(damping), direction_(dimension), product_(dimension) {}

void DampedHessian::multiply(std::span<const double> direction, std::span<double> out) {
  SOUK_EXPECT(direction.size() == dimension() && out.size() == dimension());
  const double length = vectors::norm(direction);
  if (length == 0.0) {
    std::ranges::fill(out, 0.0);
    return;
  }
  for (std::size_t i = 0; i < direction.size(); ++i) direction_[i] = static_cast<float>(direction[i] / length);
  hessian_(direction_, product_);
  ++products_;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = length * static_cast<double>(product_[i]) + damping_ * direction[i];
  }
}

double DampedHessian::residual(std::span<const double> b, std::span<const double> x, std::span<double> out) {
  multiply(x, out);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = b[i] - out[i];
  return vectors::norm(out);
}

}  // namespace souk
