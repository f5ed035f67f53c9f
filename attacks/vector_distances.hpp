#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace souk::scenario {
enum VectorDistance : int;
}

namespace souk {

/// Distance of two vectors, as scipy.spatial.distance defines those of these names; nothing where one of them is zero
/// (which SciPy calls near or far as the formula has it), or where the distance is not defined: a correlation with a
/// constant. `zeros`: so many values more that are 0 in both.
std::optional<double> distance(scenario::VectorDistance kind, std::span<const double> a, std::span<const double> b,
                               std::size_t zeros = 0);

/// Of one value or more.
double mean_of(std::span<const double> values);

/// |a|, Euclidean.
double norm(std::span<const double> a);

}  // namespace souk
