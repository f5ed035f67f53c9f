#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "attacks/ray.hpp"

namespace souk {

/// A rule that averages order statistics first … last, counted from 0, of every coordinate: trimmed mean and median.
struct OrderRange {
  std::size_t first, last;
};

/// What f cuts off at either end of n values, lowered until a value is left.
OrderRange trimmed_range(std::size_t n, std::size_t f);
OrderRange median_range(std::size_t n);

/// Squared distance of the ray's origin to what the rule makes of the updates and `copies` of the ray's point, for
/// every gamma, [gammas]. Coordinates are sorted once: equal copies shift order statistics and change no order.
/// Collective.
std::vector<double> squared_shifts(const Comm& comm, const ColumnMatrix& updates, const Ray& ray, std::size_t copies,
                                   OrderRange range, std::span<const double> gammas);

}  // namespace souk
