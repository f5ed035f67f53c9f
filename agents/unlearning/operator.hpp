#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "agents/cast/forgotten.hpp"
#include "agents/stage.hpp"
#include "agents/training/model_server.hpp"
#include "agents/unlearning/history.hpp"
#include "sim/engine/phases.hpp"

namespace souk::scenario {
class ForgetRequest;
}

namespace souk {

/// A request that is carried out. What goes is already gone from the federation.
struct ForgettingCase {
  const World& world;
  const std::string& name;                ///< of the request, under which its numbers are recorded
  RoundIndex round;                       ///< before whose learning
  std::span<ModelServer* const> servers;  ///< of all owners, whose models are to forget
  const Forgotten& now;                   ///< what goes
  std::span<const SampleIndex> units;   ///< training units that go: those, and what the clients who go held; ascending
  std::span<const DealtUnits> holders;  ///< clients that held some of them, or of those that read otherwise; ascending
  std::span<const DealtUnits> changed;  ///< who holds now what reads otherwise, or has come; ascending
  RoundIndex touched;                   ///< the first round whose learning anything of it has touched
  const Graph& graph_before;            ///< without nodes where samples are rows
  const Dataset& train_before;          ///< the training samples as they read
  const History& history;

  const Federation& federation() const { return world.federation; }
  const Comm& comm() const { return world.comm; }
  const scenario::Scenario& scenario() const { return world.scenario; }
  /// What stands before the names of numbers of an owner's model.
  std::string prefix(const ModelServer& server) const;
};

/// "unlearning.NAME.", of rivals with who they are before it.
std::string prefix_of_numbers(const Owner& owner, std::size_t index, const std::string& request);

/// What an operator can be asked to forget.
struct Forgettable {
  bool clients = true;    ///< whole ones
  bool units = true;      ///< some of what clients hold
  bool graph = true;      ///< parts of a graph
  bool changes = false;   ///< how samples read that stay
  bool clusters = false;  ///< any of it where clusters have models of their own
};

/// A way to make models forget. One file each; chosen in ForgetRequest.operator.
class UnlearningOperator {
 public:
  virtual ~UnlearningOperator() = default;
  virtual Forgettable forgets() const { return {}; }
  /// What is to be kept of rounds for it.
  virtual HistoryNeeds needs() const { return {}; }
  /// Whether it trains a second model of everything.
  virtual bool retrains() const { return false; }
  /// Throws InputError where it cannot work in this world; its own name stands before the sentence.
  virtual void check(const World&) const {}
  /// Changes the models of all servers. Fills the record alike on every rank. Collective.
  virtual ForgettingCost forget(const ForgettingCase& request, RoundRecord& record) = 0;
  /// State between rounds.
  virtual void serialize(Archive&) {}
};

/// The operator chosen in the request.
std::unique_ptr<UnlearningOperator> make_unlearning_operator(const scenario::ForgetRequest& request);

}  // namespace souk
