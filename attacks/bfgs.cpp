#include "attacks/bfgs.hpp"

#include <algorithm>
#include <cmath>

#include "sim/params/dot.hpp"

namespace souk {
namespace {

constexpr double enough_descent = 1e-4, flat = 1e-8;
constexpr int halvings_max = 50;

/// H <- (I - rho s y^T) H (I - rho y s^T) + rho s s^T.
void update_inverse(std::vector<double>& inverse, std::span<const double> s, std::span<const double> y) {
  const std::size_t n = s.size();
  const double curvature = dot(s, y);
  if (!(curvature > 0.0)) return;
  std::vector<double> hy(n, 0.0);
  for (std::size_t i = 0; i < n; ++i) hy[i] = dot(std::span(inverse).subspan(i * n, n), y);
  const double factor = (1.0 + dot(y, hy) / curvature) / curvature;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      inverse[i * n + j] += factor * s[i] * s[j] - (hy[i] * s[j] + s[i] * hy[j]) / curvature;
    }
  }
}

std::vector<double> diagonal(std::size_t n, double value) {
  std::vector<double> matrix(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) matrix[i * n + i] = value;
  return matrix;
}

/// What makes a step along this gradient no longer than 1.
double at_most_one(std::span<const double> gradient) { return 1.0 / std::max(1.0, std::sqrt(dot(gradient, gradient))); }

}  // namespace

Descent minimised(const Smooth& function, std::vector<double> start, std::size_t steps_max) {
  const std::size_t n = start.size();
  Descent now{.at = std::move(start)};
  std::vector<double> gradient(n), direction(n), next_gradient(n), y(n), s(n);
  now.value = function(now.at, gradient);
  std::vector<double> inverse = diagonal(n, at_most_one(gradient));
  bool guessed = true;  // nothing is known of the curvature
  for (std::size_t step = 0; step < steps_max && std::sqrt(dot(gradient, gradient)) > flat; ++step) {
    for (std::size_t i = 0; i < n; ++i) direction[i] = -dot(std::span(inverse).subspan(i * n, n), gradient);
    double slope = dot(direction, gradient);
    if (!(slope < 0.0)) {  // rounding has spoilt the matrix
      const double scale = at_most_one(gradient);
      inverse = diagonal(n, scale);
      guessed = true;
      for (std::size_t i = 0; i < n; ++i) direction[i] = -scale * gradient[i];
      slope = -scale * dot(gradient, gradient);
    }
    double length = 1.0, value = now.value;
    std::vector<double> next(n);
    int halvings = 0;
    for (; halvings < halvings_max; ++halvings, length *= 0.5) {
      for (std::size_t i = 0; i < n; ++i) next[i] = now.at[i] + length * direction[i];
      value = function(next, next_gradient);
      if (value <= now.value + enough_descent * length * slope) break;
    }
    if (halvings == halvings_max) break;
    for (std::size_t i = 0; i < n; ++i) {
      s[i] = next[i] - now.at[i];
      y[i] = next_gradient[i] - gradient[i];
    }
    if (guessed && dot(s, y) > 0.0) {
      inverse = diagonal(n, dot(s, y) / dot(y, y));
      guessed = false;
    }
    update_inverse(inverse, s, y);
    now = {std::move(next), value};
    gradient.swap(next_gradient);
  }
  return now;
}

}  // namespace souk
