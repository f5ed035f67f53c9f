#pragma once

#include <cstddef>
#include <span>

namespace souk {

/// What a sample of values comes to. Everything is NaN for an empty sample.
struct Summary {
  std::size_t count = 0;
  double mean, deviation;  ///< deviation: of the sample, divisor count - 1; NaN for one value
  double ci95;             ///< half width of the 95 % confidence interval of the mean: Student's t; NaN for one value
  double median;           ///< mean of the middle two for an even count
  double min, max;
};

Summary summarise(std::span<const double> values);

}  // namespace souk
