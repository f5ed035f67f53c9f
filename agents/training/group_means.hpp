#pragma once

#include <cstddef>
#include <vector>

#include "agents/training/rule_desk.hpp"

namespace souk {

/// What a server sees that sees no single update: the means of g groups of the m updates that are left.
struct GroupMeans {
  ColumnMatrix means;                             ///< [g, d]
  std::vector<Submission> submissions;            ///< [g] under a group's smallest identity, ascending; all its samples
  std::vector<std::vector<std::size_t>> members;  ///< [g] which of the m are in it
  std::vector<double> shares;                     ///< [m] of an update in its group's mean
};

/// The same for one update after the other: weights and scores of the m members, a weight by its share of the group's.
/// Collective.
RuleOutput run_rule_on_groups(Aggregator& rule, const RuleSetting& setting, const GroupMeans& groups,
                              LossOracle* losses, RuleDraws draws);

}  // namespace souk
