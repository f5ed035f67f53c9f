#include "aggregators/aggregator.hpp"

#include "aggregators/pipeline.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/params/symmetric_tiles.hpp"

namespace souk {

double RuleScale::vector() const {
  return static_cast<double>(widest_part(PanelPlan(dimension), ranks) * sizeof(float));
}

double RuleScale::pairs() const {
  const auto n = static_cast<double>(updates);
  return n * (n + 1.0) / 2.0 * sizeof(double);
}

double RuleScale::distances() const { return pairs() + tile_bytes(updates, PanelPlan(dimension), ranks); }

std::unique_ptr<Aggregator> make_aggregator(const scenario::Aggregator& config) {
  auto rule = PluginRegistry<Aggregator>::instance().create(config, "rule");
  if (config.pre_size() == 0) return rule;
  std::vector<std::unique_ptr<PreAggregator>> stages;
  for (const scenario::PreAggregator& stage : config.pre()) stages.push_back(make_pre_aggregator(stage));
  return make_pipeline(std::move(stages), std::move(rule));
}

}  // namespace souk
