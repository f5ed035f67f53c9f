#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/comm/comm.hpp"
#include "sim/params/linear.hpp"
#include "sim/params/update_matrix.hpp"

namespace souk::scenario {
class Aggregator;
}

namespace souk {

class Archive;
class Stream;

/// One update of the round.
struct Submission {
  AgentId agent;
  std::uint64_t samples = 0;  ///< as the agent reports it
};

/// What a rule must be given beside the updates.
struct RuleNeeds {
  bool root_update = false;  ///< the update that the server trains on its root data
  bool losses = false;       ///< evaluations on root or validators' data
  bool everyone = false;     ///< every client in every round
};

/// The only door through which a rule touches data. Every call is collective and counted. Steps are evaluated in one
/// batch, spread over all ranks.
class LossOracle {
 public:
  virtual ~LossOracle() = default;
  /// Mean loss on the root data after each step, [steps].
  virtual std::vector<double> on_root(std::span<const ColumnVector> steps) = 0;
  /// Mean loss per class on every validator's data after each step, [validators, steps, classes]; NaN where a validator
  /// holds no sample of a class.
  virtual std::vector<double> on_validators(std::span<const ColumnVector> steps) = 0;
  virtual std::span<const AgentId> validators() const = 0;
  virtual int classes() const = 0;
};

/// A round as a rule sees it. Everything but `updates` is the same on every rank.
struct RuleInput {
  const Comm& comm;
  RoundIndex round;
  std::span<const Submission> submissions;  ///< [n], n >= 1, ascending AgentId; row i of `updates` is submissions[i]
  const ColumnMatrix& updates;              ///< [n, d], local minus global parameters; finite: others were dropped
  const ColumnVector* root_update;          ///< [d]; null unless needed
  LossOracle* losses;                       ///< null unless needed
  Stream& random;
};

/// What a rule decides. Weights, scores and diagnostics are equal on every rank.
struct RuleOutput {
  ColumnVector step;            ///< [d], the aggregate
  std::vector<double> weights;  ///< [n] share of each agent in the step; sums to 1, or all 0 = nobody was accepted
  std::vector<double> scores;   ///< [n] the rule's own trust; empty if it has none
  std::map<std::string, double> diagnostics;
};

/// How many updates a round brings, for checks before anything runs.
struct RoundSize {
  std::size_t updates = 0;    ///< wanted per round
  std::size_t malicious = 0;  ///< the most attackers a round can have
};

/// Turns n updates into one step. All bits are equal for any rank count.
class Aggregator {
 public:
  virtual ~Aggregator() = default;
  virtual RuleNeeds needs() const { return {}; }
  /// Throws InputError with field, value and the inequality that fails, e.g. "aggregator.krum.f = 8: …".
  virtual void check(const RoundSize&) const {}
  /// Whether scaling all updates scales the step alike.
  virtual bool homogeneous() const { return true; }
  virtual RuleOutput aggregate(const RuleInput& input) = 0;
  /// State kept between rounds; most rules have none. Collective: state in columns is gathered and cut by
  /// `serialize_columns`.
  virtual void serialize(Archive&, const Comm&) {}
};

/// The rule chosen in the scenario. Throws InputError where none is.
std::unique_ptr<Aggregator> make_aggregator(const scenario::Aggregator& config);

/// 1/n each.
std::vector<double> uniform_weights(std::size_t n);

}  // namespace souk
