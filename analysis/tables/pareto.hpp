#pragma once

#include <span>
#include <vector>

namespace souk {

struct GainAndCost {
  double gain, cost;
};

/// Which points no other point dominates: none has at least their gain at no more cost, one of the two being better.
/// Equal points share their fate. No coordinate may be NaN.
std::vector<bool> pareto_front(std::span<const GainAndCost> points);

}  // namespace souk
