#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace souk {

/// What decides how long a run takes beyond its training: the rule and the attacks.
struct CostKind {
  std::string rule;
  std::string attacks;
};

/// A run that ended, and how long it took.
struct Measured {
  std::size_t run = 0;
  double seconds = 0.0;
};

/// Corrects expected seconds, one per run, by what finished runs took: by the median ratio of those with the same rule
/// and attacks, or else with the same rule, or else of all. Without a finished run they stay as they are.
void refine(const std::vector<CostKind>& kinds, const std::vector<Measured>& finished, std::vector<double>& seconds);

}  // namespace souk
