#pragma once

#include <span>

namespace souk {

/// The value below which a share q of the values lies, between neighbours linearly: numpy.quantile's default. At least
/// one value; q in [0, 1].
double quantile(std::span<const double> values, double q);

/// quantile 0.5: the mean of the two middle ones of an even number.
double median(std::span<const double> values);

/// Median of |value - median|, without a factor.
double median_absolute_deviation(std::span<const double> values);

}  // namespace souk
