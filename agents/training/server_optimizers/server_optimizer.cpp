#include "agents/training/server_optimizers/server_optimizer.hpp"

#include "scenarios/learning.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {

std::unique_ptr<ServerOptimizer> make_server_optimizer(const scenario::Server& config) {
  return PluginRegistry<ServerOptimizer>::instance().create(config, "optimizer");
}

}  // namespace souk
