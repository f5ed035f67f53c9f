#pragma once

#include <span>

#include "attacks/attack.hpp"
#include "sim/engine/round_record.hpp"

namespace souk {

/// What an owner scores updates with in a round, and attackers guess at.
struct BaselineTruth {
  std::span<const double> class_shares;  ///< [classes] of its root data, or of what validators judge by
  const ColumnVector* root_update;       ///< [d]; null: it trains none
  double score_noise = 0.0;              ///< standard deviation of the noise on cosines that the rule decides by
  double turned_sales = 0.0;             ///< probability with which a sale is told the other way round
};

/// Records how close a group's claim is:
///     attack.GROUP.class_share_error   1/2 sum |claimed - true|, total variation
///     attack.GROUP.class_share_guess   the same of equal shares, which need no attack
///     attack.GROUP.class_share_limit   the least that whoever is unbiased can expect, where there is noise on scores
///     attack.GROUP.baseline_cosine     of the claimed direction with the root update, where there is one
/// Collective.
void record_claim(const Comm& comm, int group, const BaselineClaim& claim, const BaselineTruth& truth,
                  RoundRecord& record);

}  // namespace souk
