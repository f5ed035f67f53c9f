#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agents/unlearning/edge_looks.hpp"
#include "agents/unlearning/looks.hpp"
#include "agents/unlearning/operator.hpp"

namespace souk {

/// The models of one owner beside each other.
struct Columns {
  Look before, after;
  std::optional<Look> retrained{};      ///< without what is forgotten
  std::vector<Look> other_retrained{};  ///< likewise, of other seeds
};

/// What to train for a request's reference.
struct ReferencePlan {
  bool retrain = false;
  std::uint32_t other_seeds = 0;
};

/// Records the three columns, how far they are apart, and the floor. `questioned`: pairs to steal edges from, none
/// where no edges are forgotten. `prefix`: "unlearning.NAME." or a rival's.
void record_columns(const Columns& columns, const QuestionedPairs& questioned, const Federation& federation,
                    const std::string& prefix, RoundRecord& record);

}  // namespace souk
