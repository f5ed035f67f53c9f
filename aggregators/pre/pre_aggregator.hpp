#pragma once

#include <memory>
#include <vector>

#include "aggregators/aggregator.hpp"

namespace souk::scenario {
class PreAggregator;
}

namespace souk {

/// What a pre-aggregator sees: how the updates lie towards one another, not the updates.
struct PreInput {
  /// [n + 1, n + 1] squared distances of the updates and, last, the origin: (n, i) is the squared norm of update i.
  const SymmetricMatrix& distances;
  std::size_t tolerated_f;
  Stream& random;
  RuleLog* log = nullptr;  ///< null: nobody reads it
  std::size_t updates() const { return distances.order - 1; }
  double norm(std::size_t i) const;
};

/// A step before the rule: replaces n updates by m <= n linear combinations of them. All of them are functions of the
/// mutual distances, so a chain of them costs no pass over the updates; the combinations are formed once, at its end.
class PreAggregator {
 public:
  virtual ~PreAggregator() = default;
  /// What the next stage is to expect of a round. Throws InputError with the inequality that fails.
  virtual RoundSize check(const RoundSize& round) const { return round; }
  virtual bool needs_tolerated_f() const { return false; }
  virtual RulePreserves preserves() const { return {}; }
  /// Whether every update keeps its agent; otherwise rows are groups of agents.
  virtual bool keeps_agents() const { return true; }
  /// [m, n] coefficients, row by row.
  virtual std::vector<double> mix(const PreInput& input) const = 0;
};

/// Every update scaled down to a norm of at most `limit`: [n, n], diagonal.
std::vector<double> clipped_to(const PreInput& input, double limit);

std::unique_ptr<PreAggregator> make_pre_aggregator(const scenario::PreAggregator& config);

}  // namespace souk
