#pragma once

#include <span>

#include "attacks/attack.hpp"
#include "sim/engine/round_record.hpp"

namespace souk {

/// What an owner scores updates with in a round, and attackers guess at.
struct BaselineTruth {
  std::span<const double> class_shares;  ///< [classes] of its root data
  const ColumnVector* root_update;       ///< [d]; null: it trains none
};

/// Records how close a group's claim is:
///     attack.GROUP.class_share_error   1/2 sum |claimed - true|, total variation
///     attack.GROUP.class_share_guess   the same of equal shares, which need no attack
///     attack.GROUP.baseline_cosine     of the claimed direction with the root update, where there is one
/// Collective.
void record_claim(const Comm& comm, int group, const BaselineClaim& claim, const BaselineTruth& truth,
                  RoundRecord& record);

}  // namespace souk
