#pragma once

#include <span>
#include <vector>

#include "sim/comm/comm.hpp"
#include "sim/params/update_matrix.hpp"

namespace souk {

/// Shares of the updates in a step: least squares of the step on the updates, [n], scaled to sum to 1 where their sum
/// is positive. Where updates depend on each other linearly (copies, or n > d), the solution of least length in units
/// of the updates' lengths: copies share alike, whichever of them the buyer took. Updates and step must be finite.
/// Replicated. Collective; the work of the Gram matrix, 6 passes over the updates, and 9 n^3 operations on every rank.
std::vector<double> shares_in_step(const Comm& comm, const ColumnMatrix& updates, const ColumnVector& step);

/// Updates that were not paid for and have a share of at least `threshold` / n, [n].
std::vector<bool> used_without_payment(std::span<const double> shares, const std::vector<bool>& paid, double threshold);

/// Takes a step apart: updates used without payment, as above; nobody, where the updates paid for explain the step by
/// themselves, up to a tenth of the least part that seems to be unpaid. So copies of an update that was bought accuse
/// no honest buyer; nor do they one that took several and paid for one, which nobody can tell. Collective; the work of
/// shares_in_step, twice where somebody seems to have been used.
std::vector<bool> unpaid_use(const Comm& comm, const ColumnMatrix& updates, const ColumnVector& step,
                             const std::vector<bool>& paid, double threshold);

}  // namespace souk
