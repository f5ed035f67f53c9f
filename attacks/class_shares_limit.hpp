#pragma once

#include <optional>
#include <span>

#include "attacks/class_shares_estimate.hpp"

namespace souk {

/// The noise under which updates were scored.
struct ScoreNoise {
  double deviation = 0.0;  ///< nu, of the normal noise on every cosine, above 0
  bool sales = false;      ///< what was told is whether cosine and noise were above `threshold`, not the scores
  double threshold = 0.0;  ///< tau
  double turned = 0.0;     ///< p, the probability with which a sale was told the other way round
};

/// How near to `shares`, the truth, in expected total variation, whoever is unbiased can come by these rounds: the
/// Cramer-Rao bound on the simplex,
///     1/2 sqrt(2/pi) sum_c sqrt((Q J^-1 Q^T)_cc), Q an orthonormal basis of {v: sum v = 0},
/// of scores J = Q^T sum_t D_t^T P_t D_t Q / nu^2, D_t the slopes of the cosines, P_t projecting out the factor of the
/// round that nobody knows; of sales each slope's square counts ((1 - 2p) phi(z))^2 / (P (1 - P) nu^2),
/// z = (c - tau) / nu, P = p + (1 - 2p) Phi(z). Estimators that prefer equal shares may be nearer. None: the rounds do
/// not say everything about the shares, so that there is no limit; or some were paid together.
std::optional<double> class_share_limit(std::span<const ScoredRound> rounds, std::span<const double> shares,
                                        const ScoreNoise& noise);

}  // namespace souk
