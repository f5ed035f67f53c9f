#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace souk {

/// The smallest values of equally likely bins of what was measured, [bins], ascending: the first is below all of them,
/// by as much as they are spread. Contract: something was measured.
std::vector<double> bin_thresholds(std::vector<double> measured, std::size_t bins);

/// From the gradient of an imprint layer, rows [bins, inputs] and biases [bins], to that of each bin alone: differences
/// of neighbours, the last row as it is. Contract: both are of so many bins.
void difference_bins(std::span<float> weights, std::span<float> biases);

/// How many of n samples lie alone in one of k equally likely bins, on average: n (1 - 1/k)^(n-1).
double expected_alone(std::size_t bins, std::size_t samples);

}  // namespace souk
