#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "sim/params/linear.hpp"

namespace souk {

/// n over k as a double; infinity where it is too large.
double subsets(std::size_t n, std::size_t k);

/// Throws InputError where `count` exceeds `most`: "aggregator.mda.max_subsets = …: …".
void require_few_subsets(std::string_view rule, double count, double most);

/// Of the n sets of the `size` points nearest to each point, itself included, the one of smallest measure; ties to the
/// smaller index, of points as of sets. Its diameter is at most twice the smallest there is: the set around a point of
/// the best subset reaches no farther than that subset. Clones, which mislead searches that leave out one point after
/// the other, change nothing.
std::vector<std::size_t> best_neighbourhood(const SymmetricMatrix& squared_distances, std::size_t size,
                                            const std::function<double(std::span<const std::size_t>)>& measure);

}  // namespace souk
