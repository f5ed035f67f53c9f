#include "sim/learn/curvature/diagonal.hpp"

#include "sim/base/contract.hpp"

namespace souk {

Solution solve_diagonal(std::span<const double> diagonal, std::span<const double> b, double damping) {
  SOUK_EXPECT(diagonal.size() == b.size());
  Solution solution{.x = std::vector<double>(b.size(), 0.0)};
  for (std::size_t i = 0; i < b.size(); ++i) {
    const double divisor = diagonal[i] + damping;
    if (!(divisor > 0.0)) {
      return {.x = std::vector<double>(b.size(), 0.0), .residual = 1.0, .end = SolveEnd::negative_curvature};
    }
    solution.x[i] = b[i] / divisor;
  }
  return solution;
}

std::vector<double> estimate_diagonal(const HessianProduct& hessian, std::size_t dimension, std::size_t samples,
                                      Stream& random) {
  SOUK_EXPECT(samples >= 1);
  std::vector<float> signs(dimension), product(dimension);
  std::vector<double> diagonal(dimension, 0.0);
  for (std::size_t sample = 0; sample < samples; ++sample) {
    for (float& sign : signs) sign = (random.next() & 1U) == 0 ? 1.0F : -1.0F;
    hessian(signs, product);
    for (std::size_t i = 0; i < dimension; ++i) diagonal[i] += static_cast<double>(signs[i] * product[i]);
  }
  for (double& value : diagonal) value /= static_cast<double>(samples);
  return diagonal;
}

}  // namespace souk
