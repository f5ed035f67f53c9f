#include "agents/unlearning/near_nodes.hpp"

#include <algorithm>

#include "sim/learn/tasks/node_classification.hpp"

namespace souk {

NearNodes near_nodes(const ForgettingCase& request) {
  const Graph& graph = request.graph_before;
  const GraphReduction& cut = request.now.graph;
  NearNodes near{.touched = cut.nodes, .within = {}, .stay = {}};
  near.touched.insert(near.touched.end(), cut.features.begin(), cut.features.end());
  for (const auto& [a, b] : cut.edges) near.touched.insert(near.touched.end(), {a, b});
  for (const SampleIndex unit : request.units) near.touched.push_back(graph.train_nodes[unit]);
  std::ranges::sort(near.touched);
  near.touched.erase(std::ranges::unique(near.touched).begin(), near.touched.end());
  near.within = nodes_within(graph, near.touched, request.federation().task().reach());
  for (const SampleIndex unit : units_of(units_that_stay(request.federation()))) {
    const NodeIndex node = graph.train_nodes[unit];
    const bool is_near = std::ranges::binary_search(near.within, node);
    if (is_near && !std::ranges::binary_search(near.touched, node)) near.stay.push_back(unit);
  }
  return near;
}

NodeAnswers::NodeAnswers(const ModelServer& server, Task& task) : classes_(static_cast<std::size_t>(task.classes())) {
  const ModelServer::Answering as(server, task);
  const auto logits = task.nodes()->logits(server.parameters());
  logits_.assign(logits.begin(), logits.end());
}

}  // namespace souk
