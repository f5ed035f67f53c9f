#pragma once

#include <cstdint>

#include "sim/stats/bootstrap.hpp"

namespace souk {

/// Limits of a probability of which `successes` of `trials` draws were seen: Clopper and Pearson, "The Use of
/// Confidence or Fiducial Limits Illustrated in the Case of the Binomial", Biometrika 1934. Each limit errs with
/// probability (1 - level) / 2 at most. Contract: 0 <= successes <= trials, trials > 0, 0 < level < 1.
Interval clopper_pearson(std::uint64_t successes, std::uint64_t trials, double level);

}  // namespace souk
