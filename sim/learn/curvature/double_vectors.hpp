#pragma once

#include <span>

namespace souk::vectors {

/// Sums run in one fixed pattern: the same bits on every processor.
double dot(std::span<const double> a, std::span<const double> b);
double norm(std::span<const double> values);
/// y += alpha x.
void add(double alpha, std::span<const double> x, std::span<double> y);

}  // namespace souk::vectors
