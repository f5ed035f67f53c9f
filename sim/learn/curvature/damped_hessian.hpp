#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "sim/learn/curvature/solver.hpp"

namespace souk {

/// H + rho I on vectors of doubles. Products are of floats: a vector goes there with unit length and its length is put
/// back afterwards, so that short ones do not lose digits below the smallest floats. Counts the products.
class DampedHessian {
 public:
  DampedHessian(HessianProduct hessian, std::size_t dimension, double damping);
  /// out = (H + rho I) direction, both [dimension]. The product with 0 is 0 and asks nobody.
  void multiply(std::span<const double> direction, std::span<double> out);
  /// out = b - (H + rho I) x; its length.
  double residual(std::span<const double> b, std::span<const double> x, std::span<double> out);
  std::size_t dimension() const { return direction_.size(); }
  std::size_t products() const { return products_; }

 private:
  HessianProduct hessian_;
  double damping_;
  std::size_t products_ = 0;
  std::vector<float> direction_, product_;
};

}  // namespace souk
