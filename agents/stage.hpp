#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "agents/cast/federation.hpp"
#include "agents/cast/owners.hpp"
#include "agents/forecast.hpp"
#include "agents/training/server_hooks.hpp"
#include "sim/base/footprint.hpp"
#include "sim/engine/phases.hpp"
#include "sim/engine/round_record.hpp"

namespace souk {

class Archive;
class ClientAccounts;

/// What carrying out requests to forget took.
struct ForgettingCost {
  double flops = 0.0;          ///< of training and of products with Hessians, of all clients
  double gradients = 0.0;      ///< the same in gradients of single samples
  double megabytes = 0.0;      ///< sent in the simulated protocol
  std::uint64_t messages = 0;  ///< rounds of messages
};

/// What stages are told of it.
struct Forgetting {
  RoundIndex round;
  const Forgotten& now;
  std::span<const AgentId> thrown_out;  ///< of the clients, those found malicious, ascending
  ForgettingCost cost;
};

/// Where stages stand in a round, in this order.
enum class Place : std::uint8_t { forgetting, learning, sending, settling, serving };

/// One thing that goes on in a round. Stages run in the order of their places; each owns its state and its rows.
class Stage {
 public:
  virtual ~Stage() = default;
  /// What is known before the first round, the same on every rank.
  virtual void set_up(SetUpRecord&) const {}
  /// Before any stage has run in the round. Collective.
  virtual void begin(RoundIndex, Phases&, RoundRecord&) {}
  /// `last`: no round follows. Collective. Fills the record alike on every rank.
  virtual void run(RoundIndex, bool /*last*/, Phases&, RoundRecord&) {}
  /// After all stages have run in the round. Does not communicate.
  virtual void end(RoundRecord&) {}
  /// What it knows of clients' epsilon, for stages that are made after it and have prices for it; null: nothing.
  virtual const ClientAccounts* client_accounts() const { return nullptr; }
  /// Whether what it does changes what models learn; what only looks on does not.
  virtual bool shapes_models() const { return true; }
  /// Its say in the rounds of an owner's model; null: it has none.
  virtual ServerHooks* hooks(std::size_t /*owner*/) { return nullptr; }
  /// The federation has forgotten something, which cost so much, and all models, which were told before: what the stage
  /// keeps of it goes, too. Does not communicate.
  virtual void forget(const Forgetting&, RoundRecord&) {}
  /// State between rounds. Collective.
  virtual void serialize(Archive&) {}
  /// What it alone holds and computes; its hooks' parts are the models'.
  virtual std::vector<PartFootprint> footprints(int /*ranks*/) const { return {}; }
  /// What it can say of the run to come.
  virtual std::vector<Forecast> forecasts() { return {}; }
};

/// What stages are built from. All of it outlives them.
struct World {
  const Comm& comm;
  const scenario::Scenario& scenario;
  const std::vector<Owner>& owners;
  Federation& federation;
  const std::string& device;
  const std::vector<std::unique_ptr<Stage>>& stages;  ///< all of the world, once they are built
};

/// What a section wants of an owner of a model, known before any data are dealt.
struct OwnerNeeds {
  bool root = false;        ///< root data
  bool validators = false;  ///< somebody to ask
};

/// A section of the scenario that brings a stage. One file each, which registers it; a scenario without the section
/// has no such stage.
struct ScenarioSection {
  std::string name;  ///< as the schema calls it
  Place place = Place::serving;
  std::function<bool(const scenario::Scenario&)> is_in;
  /// Empty: nothing.
  std::function<OwnerNeeds(const scenario::Scenario&, std::size_t owner)> needs{};
  /// Throws InputError. The same on every rank; does not communicate.
  std::function<std::unique_ptr<Stage>(const World&)> make;
};

/// All sections, by place and name.
class ScenarioSections {
 public:
  static ScenarioSections& instance();
  void add(ScenarioSection section);
  /// Those that this scenario has.
  std::vector<const ScenarioSection*> of(const scenario::Scenario& scenario) const;

 private:
  std::vector<ScenarioSection> sections_;
};

/// `const RegisterStage register_market({.name = "market", …});` at the end of a stage's file.
struct RegisterStage {
  explicit RegisterStage(ScenarioSection section) { ScenarioSections::instance().add(std::move(section)); }
};

}  // namespace souk
