// The section `inference` where it has a property: before anybody learns, samples read so that some clients have it.
#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "agents/inference/sample_property.hpp"
#include "agents/stage.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"

namespace souk {
namespace {

class PlantedProperty final : public Stage {
 public:
  explicit PlantedProperty(const World& world) : property_(world.federation) {
    world.federation.forget({.clients = {}, .units = {}, .graph = {}, .readings = property_.readings()});
    for (const AgentId client : property_.holders()) fewest_ = std::min(fewest_, property_.count(client));
    SOUK_REQUIRE(
        fewest_ > 0,
        "inference.property.share = {}: rounds to no sample of a client that is to have it; raise it, or deal more "
        "to a client",
        world.scenario.inference().property().share());
  }

  void set_up(SetUpRecord& record) const override {
    record.metrics.push_back({"inference.property_clients", static_cast<double>(property_.holders().size())});
    record.metrics.push_back({"inference.property_samples_fewest", static_cast<double>(fewest_)});
  }

 private:
  SampleProperty property_;
  std::size_t fewest_ = static_cast<std::size_t>(-1);
};

const RegisterStage register_planted_property(
    {.name = "inference",
     .place = Place::forgetting,
     .is_in = [](const scenario::Scenario& scenario) { return scenario.inference().has_property(); },
     .make = [](const World& world) -> std::unique_ptr<Stage> { return std::make_unique<PlantedProperty>(world); }});

}  // namespace
}  // namespace souk
