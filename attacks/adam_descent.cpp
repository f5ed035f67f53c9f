#include "attacks/adam_descent.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace souk {
namespace {

double rate_at(std::size_t step, const AdamSettings& settings) {
  double rate = settings.rate;
  for (const std::size_t eighths : {3U, 5U, 7U}) {
    if (8 * step >= eighths * settings.steps) rate *= 0.1;
  }
  return rate;
}

}  // namespace

Descent minimised_by_adam(const Smooth& function, std::vector<double> start, const Box& box,
                          const AdamSettings& settings) {
  constexpr double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  Descent now{.at = std::move(start)};
  std::vector<double> gradient(now.at.size()), mean(now.at.size(), 0.0), square(now.at.size(), 0.0);
  double power1 = 1.0, power2 = 1.0;
  for (std::size_t step = 0; step < settings.steps; ++step) {
    function(now.at, gradient);
    power1 *= beta1;
    power2 *= beta2;
    const double rate = rate_at(step, settings);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      double slope = gradient[i];
      if (settings.by_signs) slope = static_cast<double>(slope > 0.0) - static_cast<double>(slope < 0.0);
      mean[i] = beta1 * mean[i] + (1.0 - beta1) * slope;
      square[i] = beta2 * square[i] + (1.0 - beta2) * slope * slope;
      now.at[i] -= rate * (mean[i] / (1.0 - power1)) / (std::sqrt(square[i] / (1.0 - power2)) + epsilon);
    }
    for (std::size_t i = 0; i < box.variables; ++i) now.at[i] = std::clamp(now.at[i], box.low, box.high);
  }
  now.value = function(now.at, gradient);
  return now;
}

}  // namespace souk
