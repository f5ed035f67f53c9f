#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "sim/params/linear.hpp"

namespace souk {

/// Krum score of each of `rows`: the sum of squared distances to its max(1, m - f - 2) nearest others among the m rows.
/// One row alone scores 0. Blanchard et al., NIPS 2017, section 3.
std::vector<double> krum_scores(const SymmetricMatrix& squared_distances, std::span<const std::size_t> rows,
                                std::size_t f);

/// 0 … n - 1.
std::vector<std::size_t> all_rows(std::size_t n);

}  // namespace souk
