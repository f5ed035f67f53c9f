#include "scenarios/learning.pb.h"
#include "sim/learn/architecture.hpp"
#include "sim/learn/scripted/scripted_network.hpp"
#include "sim/learn/tasks/classification.hpp"
#include "sim/learn/tasks/node_classification.hpp"
#include "sim/learn/tasks/regression.hpp"

namespace souk {

std::size_t parameter_count(const scenario::Model& model, const Dataset& train) {
  if (!train.shape().graph && model.has_torchscript()) return scripted_parameter_count(model.torchscript());
  if (!train.shape().graph) return make_architecture(model, model_shape(train)).layout().dimension();
  const GraphModelShape shape{.features = train.features(), .classes = static_cast<std::size_t>(train.classes())};
  return GraphNetwork(make_graph_architecture(model, shape), shape, make_objective(scenario::Objective(), true))
      .layout()
      .dimension();
}

std::unique_ptr<Task> make_task(const scenario::Task& config, const Dataset& train, const Dataset& test,
                                const std::string& device, const Graph& graph) {
  if (train.shape().graph) return std::make_unique<NodeClassification>(config, train, test, graph, device);
  if (train.shape().numbers) return std::make_unique<Regression>(config, train, test, device);
  return std::make_unique<Classification>(config, train, test, device);
}

}  // namespace souk
