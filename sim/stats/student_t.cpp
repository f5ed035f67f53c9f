#include "sim/stats/student_t.hpp"

#include "sim/base/contract.hpp"
#include "sim/stats/distributions.hpp"

namespace souk {

double student_t_cdf(double t, double degrees) {
  SOUK_EXPECT(degrees > 0.0);
  const double total = degrees + t * t;
  const double tail = 0.5 * regularized_incomplete_beta(0.5 * degrees, 0.5, degrees / total, t * t / total);
  return t > 0.0 ? 1.0 - tail : tail;
}

double student_t_quantile(double p, double degrees) {
  SOUK_EXPECT(p > 0.0 && p < 1.0);
  if (p == 0.5) return 0.0;
  // The lower tail keeps its relative accuracy; the upper one mirrors it.
  const double tail = p < 0.5 ? p : 1.0 - p;
  double low = -1.0;
  while (student_t_cdf(low, degrees) > tail) low *= 2.0;
  double high = 0.0;
  for (double middle = 0.5 * low; middle > low && middle < high; middle = 0.5 * (low + high)) {
    (student_t_cdf(middle, degrees) < tail ? low : high) = middle;
  }
  return p < 0.5 ? high : -high;
}

}  // namespace souk
