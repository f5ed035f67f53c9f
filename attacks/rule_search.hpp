#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "attacks/update_attack.hpp"

namespace souk {

/// What searches on the server's rule are granted.
using RuleView = View<Pool, Everyone, RuleAccess>;

/// A number that shapes a submission, and how far the rule's step is from the benign mean when all members submit it.
struct Harm {
  double value = 0.0;
  double distance = -1.0;  ///< -1: not a number, or not tried
};

/// Tries submit(value) on the server's rule, all members' updates being replaced by it, `evaluations` times: first on
/// limit, limit / 2, limit / 4, …, and on the negatives too where `both_signs`; then on either side of the best, ever
/// closer. Returns the most harmful, of equals the first tried. Collective.
Harm most_harmful(const RuleView& view, double limit, bool both_signs, std::size_t evaluations,
                  const std::function<ColumnVector(double)>& submit);

}  // namespace souk
