#include "aggregators/aggregator.hpp"

#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {

std::unique_ptr<Aggregator> make_aggregator(const scenario::Aggregator& config) {
  return PluginRegistry<Aggregator>::instance().create(config, "rule");
}

std::vector<double> uniform_weights(std::size_t n) { return std::vector<double>(n, 1.0 / static_cast<double>(n)); }

}  // namespace souk
