#pragma once

#include <vector>

namespace souk {

/// The Lorenz curve of amounts: share of their sum that the poorest `part` (0 to 1) of them hold, linear between two
/// amounts (Lorenz 1905). Contract: amounts are not negative and ascending, and their sum is above 0.
double lorenz(const std::vector<double>& amounts, double part);

/// Gini's index of the same: twice the area between the curve and the diagonal, 0 for equal amounts, 1 - 1/n if one
/// holds everything.
double gini(const std::vector<double>& amounts);

/// Jain's index, (sum)^2 / (n sum of squares): 1 for equal amounts, 1/n if one holds everything (Jain, Chiu, Hawe
/// 1984). Contract: amounts are not negative, and their sum is above 0.
double jain(const std::vector<double>& amounts);

/// Entropy of the shares of the sum, in nats: log(n) for equal amounts, 0 if one holds everything. Contract as above.
double entropy(const std::vector<double>& amounts);

}  // namespace souk
