#include "sim/stats/binomial_interval.hpp"

#include "sim/base/contract.hpp"
#include "sim/stats/distributions.hpp"

namespace souk {
namespace {

/// The x in [0, 1] with I_x(a, b) = p, which grows with x.
double beta_quantile(double p, double a, double b) {
  double low = 0.0, high = 1.0;
  for (double middle = 0.5; middle > low && middle < high; middle = 0.5 * (low + high)) {
    (regularized_incomplete_beta(a, b, middle, 1.0 - middle) < p ? low : high) = middle;
  }
  return high;
}

}  // namespace

Interval clopper_pearson(std::uint64_t successes, std::uint64_t trials, double level) {
  SOUK_EXPECT(trials > 0 && successes <= trials && level > 0.0 && level < 1.0);
  const double tail = 0.5 * (1.0 - level);
  const auto k = static_cast<double>(successes), n = static_cast<double>(trials);
  return {.low = successes == 0 ? 0.0 : beta_quantile(tail, k, n - k + 1.0),
          .high = successes == trials ? 1.0 : beta_quantile(1.0 - tail, k + 1.0, n - k)};
}

}  // namespace souk
