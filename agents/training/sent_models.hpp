#pragma once

#include <vector>

#include "sim/base/ids.hpp"

namespace souk {

/// A model that some of a round's clients are sent instead of the others'.
struct OtherModel {
  std::vector<float> parameters{};  ///< [dimension]
  std::vector<AgentId> clients{};   ///< who are sent it, ascending; empty: nobody
};

}  // namespace souk
