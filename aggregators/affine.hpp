#pragma once

#include <span>
#include <vector>

#include "sim/params/linear.hpp"

namespace souk {

/// Squared distances of the points x_i to v = sum of c_j x_j, from the points' mutual squared distances D alone:
/// |v - x_i|^2 = (D c)_i - c'Dc / 2 where the c_j add up to 1. Iterations on v cost n^2 each, whatever d is; and since
/// D holds differences, nothing cancels between updates that are long and close together. Never below 0.
std::vector<double> squared_distances_to_mean(const SymmetricMatrix& squared_distances, std::span<const double> c);

/// Whether the identities here are accurate for these points: nobody is so much farther from the most central point
/// than typical (1e8 times) that everybody else's distances drown in the rounding of its own. Otherwise go through d.
bool coefficients_suffice(const SymmetricMatrix& squared_distances);

/// The point with the smallest median distance to the others, and the square of that distance.
struct Center {
  std::size_t point = 0;
  double typical = 0.0;
};
Center most_central(const SymmetricMatrix& squared_distances);

/// <x_i - v, x_j - v> for the same v: -1/2 (D_ij - (Dc)_i - (Dc)_j + c'Dc).
SymmetricMatrix gram_about_mean(const SymmetricMatrix& squared_distances, std::span<const double> c);

/// The distances among some of the points.
SymmetricMatrix among(const SymmetricMatrix& squared_distances, std::span<const std::size_t> rows);

}  // namespace souk
