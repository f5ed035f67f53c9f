#pragma once

#include <span>
#include <vector>

#include "sim/comm/comm.hpp"
#include "sim/params/update_matrix.hpp"

namespace souk {

/// Shares of the updates in a step: least squares of the step on the updates, [n], scaled to sum to 1 where their sum
/// is positive. Where updates depend on each other linearly (copies), the solution of least length: copies share alike.
/// Replicated. Collective.
std::vector<double> shares_in_step(const Comm& comm, const ColumnMatrix& updates, const ColumnVector& step);

/// Updates that were not paid for and have a share of at least `threshold` / n, [n].
std::vector<bool> used_without_payment(std::span<const double> shares, const std::vector<bool>& paid, double threshold);

}  // namespace souk
