#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "sim/params/linear.hpp"

namespace souk {

class Stream;

/// A round as those saw it who submitted m updates to a server that scores them against its root update, and what
/// classes' gradients G, [classes, d], would make of it. Were the classes' shares pi, an update D_j would have cosine
/// c_j(pi) = <D_j, G pi> / (|D_j| |G pi|).
struct ScoredRound {
  std::vector<double> products;  ///< [m, classes] <D_j, G_c> / |D_j|; 0: seller j submitted nothing
  SymmetricMatrix between;       ///< [classes] <G_c, G_c'>
  /// [m] What each earned, or 1 where it was sold and 0 where not. Empty: the next round that has some tells of what
  /// the same m sellers earned in both.
  std::vector<double> outcomes;
};

/// Classes' shares under which cosines above 0 go with what was earned, up to a factor of each round, or of all rounds
/// that were paid together, whose f are added up. Minimises over
/// pi = softmax(z), from equal shares, from `before`, an estimate of fewer rounds or nothing, and from six normal
/// draws,
///     sum_t m_t / 2 log(1 - <w_t, f_t>^2 / (|w_t|^2 |f_t|^2) + 1e-3) + 0.05 sum_c pi_c log pi_c,
/// f = h log(1 + exp(c(pi) / h)), h = 0.02. Rounds in which nobody earned anything say nothing. [classes], sum 1; empty
/// where no round says anything. Souk's own.
std::vector<double> class_shares_from_scores(std::span<const ScoredRound> rounds, std::size_t classes, Stream& random,
                                             std::span<const double> before = {});

/// What is known of sales beside them.
struct SalesModel {
  std::optional<double> threshold{};  ///< tau, the cosine from which on updates are bought; none: one for every round
  double turned = 0.0;                ///< p, the probability with which a sale is told the other way round; below 1/2
};

/// Classes' shares that make what was sold most likely, Pr(sold) = p + (1 - 2 p) logistic((c(pi) - tau) / s), with the
/// same entropy term; s is found, too, and what is not known of tau. From s = .03, .1 and .3. Empty where there is no
/// round. Contract: all rounds have outcomes.
std::vector<double> class_shares_from_sales(std::span<const ScoredRound> rounds, std::size_t classes,
                                            const SalesModel& model);

}  // namespace souk
