#include "agents/training/group_means.hpp"

#include <utility>

namespace souk {

RuleOutput run_rule_on_groups(Aggregator& rule, const RuleSetting& setting, const GroupMeans& groups,
                              LossOracle* losses, RuleDraws draws) {
  RuleOutput output = run_rule(rule, setting, groups.submissions, groups.means, losses, draws);
  std::vector<double> weights(groups.shares.size()), scores(output.scores.empty() ? 0 : groups.shares.size());
  for (std::size_t g = 0; g < groups.members.size(); ++g) {
    for (const std::size_t m : groups.members[g]) {
      weights[m] = output.weights[g] * groups.shares[m];
      if (!scores.empty()) scores[m] = output.scores[g];
    }
  }
  output.weights = std::move(weights);
  output.scores = std::move(scores);
  return output;
}

}  // namespace souk
