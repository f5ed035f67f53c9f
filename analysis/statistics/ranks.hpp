#pragma once

#include <span>
#include <vector>

namespace souk {

/// Rank of each value, 1 for the smallest; equal values share the mean of their ranks. No value may be NaN.
std::vector<double> average_ranks(std::span<const double> values);

}  // namespace souk
