#pragma once

#include <span>
#include <vector>

#include "sim/learn/softmax.hpp"

namespace souk {

/// Soft-max of logits, in double.
inline std::vector<double> softmax_of(std::span<const double> logits) {
  std::vector<double> shares(logits.begin(), logits.end());
  softmax(shares);
  return shares;
}

}  // namespace souk
