#pragma once

#include <cstddef>
#include <span>

#include "sim/params/linear.hpp"

namespace souk {

/// Mean silhouette (Rousseeuw, J. Comput. Appl. Math. 1987) of points known by their distances (not squared), [n, n]:
/// mean of (b - a) / max(a, b), a the mean distance to the point's own cluster without itself, b the smallest mean
/// distance to another. A point alone in its cluster counts 0, as in scikit-learn; so does a partition into one
/// cluster, which has no silhouette. Labels are 0, 1, …, none of them without a point.
double mean_silhouette(const SymmetricMatrix& distances, std::span<const std::size_t> labels);

}  // namespace souk
