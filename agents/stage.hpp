#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agents/cast/federation.hpp"
#include "agents/cast/owners.hpp"
#include "agents/training/server_hooks.hpp"
#include "sim/base/footprint.hpp"
#include "sim/engine/phases.hpp"
#include "sim/engine/round_record.hpp"

namespace souk {

class Archive;

/// Where stages stand in a round, in this order.
enum class Place : std::uint8_t { forgetting, learning, settling, serving };

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
  /// Its say in the rounds of an owner's model; null: it has none.
  virtual ServerHooks* hooks(std::size_t /*owner*/) { return nullptr; }
  /// State between rounds. Collective.
  virtual void serialize(Archive&) {}
  /// What it alone holds and computes; its hooks' parts are the models'.
  virtual std::vector<PartFootprint> footprints(int /*ranks*/) const { return {}; }
};

/// What stages are built from. All of it outlives them.
struct World {
  const Comm& comm;
  const scenario::Scenario& scenario;
  const std::vector<Owner>& owners;
  const Federation& federation;
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

/// `const RegisterStage registered({.name = "market", …});` at the end of a stage's file.
struct RegisterStage {
  explicit RegisterStage(ScenarioSection section) { ScenarioSections::instance().add(std::move(section)); }
};

}  // namespace souk
