#include "agents/unlearning/clusters.hpp"
#include "agents/unlearning/operator.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// Training anew of the clusters that held any of it.
class RetrainClusters final : public UnlearningOperator {
 public:
  explicit RetrainClusters(const scenario::RetrainClusters&) {}

  Forgettable forgets() const override { return {.changes = true, .clusters = true}; }

  void check(const World& world) const override {
    SOUK_REQUIRE(world.scenario.has_clusters(), "trains clusters anew, and the scenario has no clusters");
  }

  ForgettingCost forget(const ForgettingCase& request, RoundRecord& record) override {
    return cluster_models_of(request.world).retrain_touched(request, record);
  }
};

const Register<UnlearningOperator, RetrainClusters, scenario::RetrainClusters> register_retrain_clusters;

}  // namespace
}  // namespace souk
