#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/comm/comm.hpp"
#include "sim/params/linear.hpp"
#include "sim/params/parameter_layout.hpp"
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
  bool tolerated_f = false;  ///< a number of malicious updates to withstand, having none of its own
  bool root_update = false;  ///< the update that the server trains on its root data
  bool root_data = false;    ///< losses or gradients on the root data
  bool validators = false;   ///< reports of validators
  bool model = false;        ///< the network itself, to ask for its answers, or the names of its parameters
  bool memory = false;       ///< it keeps something between rounds, so it cannot be tried out
  bool history = false;      ///< and that about each client
  bool everyone = false;     ///< every client in every round
  bool classes = false;      ///< judges by class: a task that has classes
  bool noise = false;        ///< the network's answers to noise: a task whose samples are rows
};

/// What happens to the step when all updates change alike.
struct RulePreserves {
  bool scale = true;        ///< updates times c > 0: step times c
  bool translation = true;  ///< updates plus v: step plus v
  bool unanimity = true;    ///< all updates equal v: step v
  bool permutation = true;  ///< updates permuted: weights permuted, the same step
  bool noise = false;       ///< the step holds random noise
};

/// How good a model is on a data set.
struct Judgement {
  double loss = 0.0;   ///< mean
  double error = 0.0;  ///< 1 - quality: the share misclassified, or 1 - R²
  double skill = 0.0;  ///< quality with chance taken out: Cohen's kappa of predictions and labels, or R²
};

/// The only door through which a rule touches data or the network. Every call is collective and counted. The rows of
/// `steps` are added to the global parameters, one candidate model each; all are evaluated in one batch, spread over
/// all ranks.
class LossOracle {
 public:
  virtual ~LossOracle() = default;
  /// On the root data, [steps].
  virtual std::vector<Judgement> on_root(const ColumnMatrix& steps) = 0;
  /// Gradient of the mean root loss at global + step, [d].
  virtual ColumnVector root_gradient(const ColumnVector& step) = 0;
  /// What the validators report, [validators, steps, classes]: their loss of a class at the global parameters minus
  /// that at global + step (positive: the step helps); NaN where a validator has too few samples of the class.
  /// Malicious validators report what they like.
  virtual std::vector<double> validator_reports(const ColumnMatrix& steps) = 0;
  virtual std::span<const AgentId> validators() const = 0;
  /// Mean over `samples` inputs of uniform noise of (softmax of the candidate) / (softmax of the global model), per
  /// class, [steps, classes]. `lane` names the inputs: equal lanes of a round, equal inputs.
  virtual std::vector<double> noise_ratios(const ColumnMatrix& steps, std::size_t samples, std::uint16_t lane) = 0;
  virtual int classes() const = 0;
};

/// What a rule could not do as it was told, and how many malicious updates it withstood; for the record of the round.
struct RuleLog {
  std::map<std::string, double> tolerated{};  ///< f used, by name: "f" of the rule, "pre.nnm.f", "base.f"
  std::vector<std::string> remarks{};         ///< sentences
};

/// A round as a rule sees it. Everything but `updates`, `global` and `root_update` is the same on every rank.
struct RuleInput {
  const Comm& comm;
  RoundIndex round;
  std::span<const Submission> submissions;  ///< [n], n >= 1, ascending AgentId; row i of `updates` is submissions[i].
                                            ///< Behind bucketing a row stands for a group, under its smallest id
  const ColumnMatrix& updates;              ///< [n, d], local minus global parameters; finite: others were dropped
  Stream& random;
  std::size_t tolerated_f = 0;                ///< malicious updates that the round is told to withstand
  const ColumnVector* global = nullptr;       ///< [d] parameters the clients started from; null: unknown, taken as 0
  const ColumnVector* root_update = nullptr;  ///< [d]; null unless needed
  LossOracle* losses = nullptr;               ///< null unless needed
  const ParameterLayout* layout = nullptr;    ///< names and shapes of the d values; null unless the network is needed
  RuleLog* log = nullptr;                     ///< null: nobody reads it
};

/// What a rule decides. Weights, scores and diagnostics are equal on every rank.
struct RuleOutput {
  ColumnVector step;            ///< [d], the aggregate
  std::vector<double> weights;  ///< [n] share of each agent in the step; sums to 1, or all 0 = nobody was accepted
  std::vector<double> scores;   ///< [n] the rule's own trust; empty if it has none
  std::map<std::string, double> diagnostics;
  bool restart = false;  ///< the model goes back to its initial parameters, and the step is not taken
  /// The step is put together coordinate by coordinate: no update is kept or rejected as a whole, and weights only say
  /// who took part.
  bool by_coordinate = false;
  std::vector<std::string> remarks{};  ///< from the log: why the rule did otherwise than told; filled in by who runs it
};

/// How many updates a round brings, for checks before anything runs.
struct RoundSize {
  std::size_t updates = 0;      ///< wanted per round
  std::size_t tolerated_f = 0;  ///< of the scenario; a rule's own `f` goes before it
};

/// The rounds that a rule is to work on, and on how many ranks: what its memory hangs on.
struct RuleScale {
  std::size_t updates = 0;    ///< n of a round, at most
  std::size_t clients = 0;    ///< all of whom it may see in the course of the run
  std::size_t dimension = 0;  ///< d
  int ranks = 1;
  /// Bytes of a [d] vector on the rank that holds most of it.
  double vector() const;
  /// Bytes of a symmetric [n, n] matrix of doubles, and of all that is held while the updates' products or distances
  /// are computed, the matrix included.
  double pairs() const;
  double distances() const;
};

/// Bytes of a rank that a rule needs beside what it is given.
struct RuleFootprint {
  double held = 0.0;           ///< between rounds
  double working = 0.0;        ///< more while it aggregates, its answer included
  std::size_t candidates = 0;  ///< models that it has judged at once, at most
  bool gradients = false;      ///< asks for gradients on the root data
};

/// Turns n updates into one step. All bits are equal for any rank count.
class Aggregator {
 public:
  virtual ~Aggregator() = default;
  virtual RuleNeeds needs() const { return {}; }
  virtual RulePreserves preserves() const { return {}; }
  /// By how much n times the step of n updates moves at most, in length, when an update no longer than `bound` comes or
  /// goes; none: no such length is known, as where an update may move which others are chosen.
  virtual std::optional<double> sensitivity(double /*bound*/) const { return std::nullopt; }
  /// Standard deviation of the normal noise on the cosines with the root update that weights are made of, cut at 0; 0:
  /// none.
  virtual double score_noise() const { return 0.0; }
  /// Throws InputError with field, value and the inequality that fails, e.g. "aggregator.krum.f = 8: …".
  virtual void check(const RoundSize&) const {}
  /// Beside the step, nothing.
  virtual RuleFootprint footprint(const RuleScale& scale) const { return {.working = scale.vector()}; }
  virtual RuleOutput aggregate(const RuleInput& input) = 0;
  /// State kept between rounds; most rules have none. Collective: state in columns is gathered and cut by
  /// `serialize_columns`.
  virtual void serialize(Archive&, const Comm&) {}
};

/// The rule chosen in the scenario, behind its pre-aggregators. Throws InputError where none is.
std::unique_ptr<Aggregator> make_aggregator(const scenario::Aggregator& config);

}  // namespace souk
