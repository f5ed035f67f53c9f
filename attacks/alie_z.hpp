#pragma once

#include <cstddef>

namespace souk {

/// Baruch, Baruch, Goldberg, "A Little Is Enough", NeurIPS 2019, Algorithm 3: the deviations from the mean that a group
/// of m among n updates can afford: Phi^-1((n - m - s) / (n - m)), s = floor(n / 2 + 1) - m being the honest updates
/// that it needs on its side for a majority. The formula knows no group that is a majority by itself: s is 1 at least
/// here. 0 where not more than s are honest.
double alie_z(std::size_t n, std::size_t m);

}  // namespace souk
