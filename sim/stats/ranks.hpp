#pragma once

#include <span>
#include <vector>

namespace souk {

/// How far apart two numbers may be that arithmetic on these values gives for the same one: 1e-9 of the largest finite
/// magnitude. Means of shares, which are counts over a common number, differ by less than 1e-15 or by much more.
double rounding_of(std::span<const double> values);

/// Rank of each value, 1 for the smallest; values within `rounding` of the smallest among them are equal and share the
/// mean of their ranks. No value may be NaN.
std::vector<double> average_ranks(std::span<const double> values, double rounding);

}  // namespace souk
