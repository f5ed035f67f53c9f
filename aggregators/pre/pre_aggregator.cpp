#include "aggregators/pre/pre_aggregator.hpp"

#include <cmath>

#include "aggregators/rule_tools.hpp"
#include "scenarios/aggregators.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {

double PreInput::norm(std::size_t i) const { return std::sqrt(distances(updates(), i)); }

std::vector<double> clipped_to(const PreInput& input, double limit) {
  const std::size_t n = input.updates();
  std::vector<double> coefficients(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) coefficients[i * n + i] = clip_factor(input.norm(i), limit);
  return coefficients;
}

std::unique_ptr<PreAggregator> make_pre_aggregator(const scenario::PreAggregator& config) {
  return PluginRegistry<PreAggregator>::instance().create(config, "method");
}

}  // namespace souk
