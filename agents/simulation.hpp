#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agents/cast/forgotten.hpp"
#include "agents/cast/shared_data.hpp"
#include "agents/estimate.hpp"
#include "agents/forecast.hpp"
#include "sim/engine/protocol.hpp"

namespace souk::scenario {
class Scenario;
}

namespace souk {

class Federation;
class ModelServer;
class ParameterLayout;

/// A scenario at work: one cast on one clock, whose rounds are a list of stages, each brought by a section of the
/// scenario (agents/stage.hpp). Learning is always one of them.
class Simulation : public Protocol {
 public:
  /// On this many ranks.
  virtual RunEstimate estimate(int ranks) const = 0;
  /// What its stages can say of the run to come.
  virtual std::vector<Forecast> forecasts() const = 0;
  /// Names and places of its parameters, the same for every owner's model.
  virtual const ParameterLayout& layout() const = 0;
  /// An owner's model at work.
  virtual ModelServer& model(std::size_t owner) = 0;
};

/// Loads the data set, deals it, builds the stages and checks everything that depends on them. Collective; throws
/// PhaseError. `scenario` outlives it. `data` is the scenario's, as load_shared_data gives it on the same node; where
/// it is empty, that is done first. `like`: whose cast, data and deal it takes, and has forgotten what that one has;
/// null: the scenario's own. `absent`: what it has forgotten beside that.
std::unique_ptr<Simulation> make_simulation(const Comm& comm, const scenario::Scenario& scenario,
                                            const std::string& device, SharedData data = {},
                                            const Federation* like = nullptr, const Forgotten& absent = {});

}  // namespace souk
