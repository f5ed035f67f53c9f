#pragma once

#include <span>
#include <vector>

namespace souk {

/// A rank for each piece of work: longest first, each to the least loaded rank (ties: earlier piece, smaller rank). The
/// same on every rank. Placement decides only where work runs, never what it gives.
std::vector<int> place_longest_first(std::span<const double> costs, int ranks);

}  // namespace souk
