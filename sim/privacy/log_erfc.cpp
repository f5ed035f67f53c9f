#include "sim/privacy/log_erfc.hpp"

#include <cmath>
#include <numbers>

namespace souk {

double log_erfc(double x) {
  if (x < 25.0) return std::log(std::erfc(x));
  // Abramowitz and Stegun 7.1.23; the first term left out is below 1e-12 from here on.
  const double y = 1.0 / (2.0 * x * x);
  const double series = -y + 3.0 * y * y - 15.0 * y * y * y + 105.0 * y * y * y * y;
  return -x * x - std::log(x) - 0.5 * std::log(std::numbers::pi) + std::log1p(series);
}

}  // namespace souk
