#pragma once

#include <optional>
#include <string>

namespace souk::scenario {
class Data;
}

namespace souk {

/// Noise on the edges of a data set's graph.
struct EdgeBudget {
  std::string mechanism;  ///< as the schema calls it
  double epsilon = 0.0;   ///< of single edges, with delta 0
};

/// What `data` asks for; none: edges as they are, or no graph.
std::optional<EdgeBudget> edge_budget_of(const scenario::Data& data);

}  // namespace souk
