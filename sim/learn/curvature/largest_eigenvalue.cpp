#include "sim/learn/curvature/largest_eigenvalue.hpp"

#include <cmath>
#include <utility>
#include <vector>

#include "sim/base/contract.hpp"
#include "sim/learn/curvature/damped_hessian.hpp"
#include "sim/learn/curvature/double_vectors.hpp"

namespace souk {

double largest_eigenvalue(const HessianProduct& hessian, std::size_t dimension, std::size_t iterations,
                          Stream& random) {
  SOUK_EXPECT(iterations >= 1);
  DampedHessian undamped(hessian, dimension, 0.0);
  std::vector<double> vector(dimension), product(dimension);
  for (double& value : vector) value = random.normal();
  double eigenvalue = 0.0;
  for (std::size_t i = 0; i < iterations; ++i) {
    const double length = vectors::norm(vector);
    for (double& value : vector) value /= length;
    undamped.multiply(vector, product);
    const double magnitude = vectors::norm(product);
    eigenvalue = std::copysign(magnitude, vectors::dot(vector, product));
    if (magnitude == 0.0 || !std::isfinite(magnitude)) break;
    std::swap(vector, product);
  }
  return eigenvalue;
}

}  // namespace souk
