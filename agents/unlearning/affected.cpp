#include "agents/unlearning/affected.hpp"

#include <algorithm>

#include "scenarios/scenario.pb.h"

namespace souk {

TaskBefore::TaskBefore(const ForgettingCase& request) : federation_(request.federation()) {
  if (request.now.graph.empty() && request.now.readings.empty()) return;
  own_ = make_task(request.scenario().task(), request.train_before, federation_.test(), request.world.device,
                   request.graph_before);
}

std::vector<DealtUnits> units_that_feel(const ForgettingCase& request, std::span<const DealtUnits> stay) {
  const GraphReduction& cut = request.now.graph;
  if (cut.empty()) return {};
  std::vector<NodeIndex> touched = cut.nodes;
  touched.insert(touched.end(), cut.features.begin(), cut.features.end());
  for (const auto& [a, b] : cut.edges) touched.insert(touched.end(), {a, b});
  std::ranges::sort(touched);
  touched.erase(std::ranges::unique(touched).begin(), touched.end());
  const std::vector<NodeIndex> near = nodes_within(request.graph_before, touched, request.federation().task().reach());
  const auto nodes = request.graph_before.train_nodes;
  std::vector<DealtUnits> holders;
  for (const DealtUnits& holder : stay) {
    DealtUnits held{holder.client, {}};
    std::ranges::copy_if(holder.units, std::back_inserter(held.units),
                         [&](SampleIndex unit) { return std::ranges::binary_search(near, nodes[unit]); });
    if (!held.units.empty()) holders.push_back(std::move(held));
  }
  return holders;
}

}  // namespace souk
