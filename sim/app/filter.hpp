#pragma once

#include <functional>
#include <string>
#include <vector>

#include "analysis/results/results_view.hpp"
#include "analysis/tables/frame.hpp"
#include "sim/sweep/condition.hpp"
#include "sim/sweep/plan.hpp"

namespace souk {

/// What --filter says, for every command: a condition (sim/sweep/condition.hpp) on the axes of a sweep, the columns
/// aggregator, attack, malicious, partition, dataset, model, seed, name and sweep, and the fields of the scenario, as
/// "attacks[0].fraction" or "attack.fraction"; of results on their status as well. An axis hides a column of its name,
/// and that a field. An axis must have the values that it is compared with by = and !=, and some cell must match: what
/// is thrown otherwise names the values that there are.

/// Which cells of the plan match; all of them match an empty text.
std::vector<bool> matching_cells(const SweepPlan& plan, const std::string& filter);

/// Keeps the cells that match in the frame, or in the view with their runs alone.
void keep_matching(Frame& frame, const std::string& filter);
void keep_matching(ResultsView& view, const std::string& filter);

/// Whether a condition compares this name.
bool filter_names(const std::string& filter, const std::string& name);

}  // namespace souk
