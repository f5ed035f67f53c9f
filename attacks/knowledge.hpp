#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/comm/comm.hpp"
#include "sim/params/parameter_layout.hpp"
#include "sim/params/update_matrix.hpp"

namespace souk {

/// How much of a round an attacker group knows, each level with all of the ones before it.
enum class Knowledge : std::uint8_t {
  own,        ///< a member knows its own update and data
  colluders,  ///< members share theirs
  all,        ///< every update of the round
  rule        ///< and the server: its aggregation rule, to try submissions on, and its root update
};

/// OWN, COLLUDERS, ALL, RULE: as scenarios say it.
std::string_view knowledge_name(Knowledge level);

/// What every participant of a round knows.
struct PublicRound {
  const Comm& comm;
  RoundIndex round;
  std::uint64_t seed;          ///< for Streams named by agent, so that bits do not depend on the rank count
  std::size_t updates = 0;     ///< n: updates of the round
  std::size_t malicious = 0;   ///< m: of them, those of the group
  double server_rate = 1.0;    ///< the server adds this times the aggregate
  const ColumnVector& global;  ///< [d] trainable parameters that the clients started from
  const ColumnVector& change;  ///< [d] the last round's change of them; 0 in the first
};

// The grants. An attack names those it works with, and is handed these and nothing else.

/// OWN: one member at a time.
struct Own {
  static constexpr Knowledge level = Knowledge::own;
  AgentId self;
  const ColumnMatrix& honest;  ///< [1, d]
};

/// The group as far as it shares what it knows: a single member where the scenario grants OWN.
struct Pool {
  static constexpr Knowledge level = Knowledge::colluders;
  std::span<const AgentId> members;  ///< [m], ascending
  const ColumnMatrix& own;           ///< [m, d] their honest updates
  /// [k, d], k >= 1: the honest updates that the attack may learn from. Below ALL: `own`; from ALL on those of all
  /// benign clients, or `own` where a round has none.
  const ColumnMatrix& known;
  /// Whether what is remembered of earlier rounds is the group's; otherwise each member remembers for itself alone.
  bool shared = true;
};

/// ALL: the whole round.
struct Everyone {
  static constexpr Knowledge level = Knowledge::all;
  std::span<const AgentId> agents;      ///< [n], ascending
  const ColumnMatrix& honest;           ///< [n, d]
  std::span<const std::size_t> rows;    ///< [m] those of the members
  std::span<const std::size_t> benign;  ///< rows of clients in no attacker group
};

/// What the server would make of a round.
struct ProbeResult {
  ColumnVector step;            ///< [d]
  std::vector<double> weights;  ///< [n] shares in the step; 0: rejected
};

/// The server's rule with its parameters and its state, but its own draws of random numbers.
class RuleProbe {
 public:
  virtual ~RuleProbe() = default;
  /// Of everybody's updates, [n, d]; members' rows are usually `replaced`. Collective. Leaves the server as it was.
  ProbeResult probe(const ColumnMatrix& updates);
  /// Of these rows, as if the others had sent nothing; their weights are 0.
  ProbeResult probe(const ColumnMatrix& updates, std::span<const std::size_t> rows) { return judge(updates, rows); }

 private:
  virtual ProbeResult judge(const ColumnMatrix& updates, std::span<const std::size_t> rows) = 0;
};

/// RULE: trying submissions on the server's rule.
struct RuleAccess {
  static constexpr Knowledge level = Knowledge::rule;
  RuleProbe& rule;
};

/// The rule and the round for attacks that can do without: null below RULE.
struct RuleIfKnown {
  static constexpr Knowledge level = Knowledge::own;
  RuleProbe* rule;
  const Everyone* round_of_all;
};

/// RULE: what the server trained on its root data.
struct RootUpdate {
  static constexpr Knowledge level = Knowledge::rule;
  const ColumnVector& root_update;  ///< [d]
};

/// One gradient step of a member's training, in whole vectors of [d] trainable values.
struct LabStep {
  std::span<const float> parameters, global;
  std::span<const std::vector<float>> anchors;  ///< those of the training, each [d]
  std::span<const Slot> tensors;                ///< the network's, in order; together they are the d values
};

/// How members train in the lab.
struct LabTraining {
  bool poisoned = true;                  ///< on the data as the group's data attack edits it
  const ColumnMatrix* starts = nullptr;  ///< [who, d] where they start, minus the global parameters; null: there
  double rate_factor = 1.0;              ///< times the scenario's learning rate
  std::uint32_t epochs = 0;              ///< passes over a member's data; 0: as the scenario says
  std::vector<const ColumnVector*> anchors{};
  /// Called with the gradient before the optimiser's step; may change it. Empty: nothing. `who` counts the members.
  std::function<void(std::size_t who, const LabStep& at, std::span<float> gradient)> before_step{};
  /// Called after it; may change the parameters.
  std::function<void(std::size_t who, const LabStep& at, std::span<float> parameters)> after_step{};
};

/// Which way single classes pull the global model.
struct ClassGradients {
  ColumnMatrix rows;                 ///< [classes, d] less the mean gradient; 0 of a class of which there is no sample
  std::vector<std::size_t> samples;  ///< [classes] behind each
};

/// Members' own data and training, at any time of the round.
class Lab {
 public:
  virtual ~Lab() = default;
  /// On as many samples of each class, at most, drawn by the seed from the training samples of these members together,
  /// as they are before any attack on data. Tasks of classes only. Collective.
  virtual ClassGradients class_gradients(std::span<const AgentId> who, std::size_t samples_per_class) = 0;
  /// [who, d]: trained parameters minus the global ones. Collective; members are spread over the ranks.
  virtual ColumnMatrix train(std::span<const AgentId> who, const LabTraining& training) = 0;
};

/// Training of one's own. Members of a group whose attack has a lab deliver clean updates first, untouched by their
/// data attack: that acts in the lab alone.
struct Laboratory {
  static constexpr Knowledge level = Knowledge::own;
  Lab& lab;
};

}  // namespace souk
