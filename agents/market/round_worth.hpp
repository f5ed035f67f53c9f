#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "agents/market/valuation.hpp"
#include "agents/training/rule_desk.hpp"

namespace souk::scenario {
class Worth;
}

namespace souk {

/// A round whose coalitions are to be judged. Everything in it must outlive the RoundWorth.
struct WorthSetting {
  const scenario::Worth& config;
  const RuleSnapshot* rule;  ///< from before the rule saw the round; null unless the rule is to be asked
  RuleSetting setting;
  std::span<const Submission> submissions;  ///< [n], n >= 1, ascending AgentId
  const ColumnMatrix& updates;              ///< [n, d]; row i is that of submissions[i]
  LossOracle& judge;
};

/// Judges the models that coalitions lead to on the buyer's root data.
///
/// Worth LOSS is loss(w) - loss(w + step). A loss beyond 1,000, or one that is no number, counts as 1,000: a broken
/// model is as bad as can be, and sums over coalitions stay finite. ACCURACY is error(w) - error(w + step).
/// A coalition for which the rule cannot run (Aggregator::check refuses so few updates) is worth 0.
class RoundWorth final : public CoalitionWorth {
 public:
  /// Models judged together: as many times the model's memory, twice.
  static constexpr std::size_t batch = 64;
  /// Throws InputError where coalitions are to be judged by a rule that needs every client in every round.
  explicit RoundWorth(const WorthSetting& setting);
  std::vector<double> of(std::span<const Coalition> coalitions) override;
  /// The model before the step, once judged, is one of them.
  std::uint64_t evaluations() const override { return evaluations_; }

 private:
  double badness(const Judgement& judgement) const;
  std::vector<double> judge(const ColumnMatrix& steps);
  void evaluate(std::span<const Coalition> coalitions);
  ColumnMatrix mean_steps(std::span<const Coalition> coalitions) const;
  ColumnMatrix rule_steps(std::span<const Coalition> coalitions);
  void run_rule_on(const Coalition& coalition, std::span<float> step);

  WorthSetting setting_;
  std::unordered_map<Coalition, double> known_;
  double before_ = 0.0;  ///< badness of the model as it is, once anything is judged
  std::uint64_t evaluations_ = 0;
};

}  // namespace souk
