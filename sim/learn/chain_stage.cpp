#include "sim/learn/chain_stage.hpp"

#include <utility>

namespace souk {

ChainPlan::ChainPlan(const Architecture& architecture) : layers_(architecture.layers()), slots_(architecture.slots()) {}

bool ChainPlan::take(Finish finish) {
  if (done() || layers_[next_]->finish() != finish) return false;
  ++next_;
  return true;
}

std::vector<std::unique_ptr<ChainStage>> make_chain_stages(const Architecture& architecture) {
  std::vector<std::unique_ptr<ChainStage>> stages;
  for (ChainPlan plan(architecture); !plan.done();) {
    auto stage = plan.next().stage(plan);
    if (stage == nullptr) return {};
    stages.push_back(std::move(stage));
  }
  return stages;
}

}  // namespace souk
