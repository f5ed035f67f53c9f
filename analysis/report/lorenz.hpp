#pragma once

#include <vector>

namespace souk {

/// The Lorenz curve of amounts: share of their sum that the poorest `part` (0 to 1) of them hold, linear between two
/// amounts (Lorenz 1905). Contract: amounts are not negative and ascending, and their sum is above 0.
double lorenz(const std::vector<double>& amounts, double part);

/// Gini's index of the same: twice the area between the curve and the diagonal, 0 for equal amounts, 1 - 1/n if one
/// holds everything.
double gini(const std::vector<double>& amounts);

}  // namespace souk
