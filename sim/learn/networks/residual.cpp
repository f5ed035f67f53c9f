#include "sim/learn/networks/residual.hpp"

#include <memory>

#include "sim/learn/layers/layers.hpp"

namespace souk {
namespace {

std::unique_ptr<Layer> normalised(const ResidualPlan& plan, const std::string& name) {
  return plan.batch_norm ? layers::batch_norm(name) : layers::group_norm(name, plan.groups);
}

void basic_block(Architecture& network, const ResidualPlan& plan, const std::string& name, const Conv& conv) {
  const bool projects = conv.stride != 1 || conv.channels != network.out().channels;
  network.append(layers::save(), layers::conv2d(name + ".conv1", conv), normalised(plan, name + ".bn1"), layers::relu(),
                 layers::conv2d(name + ".conv2", {.channels = conv.channels, .kernel = 3, .padding = 1, .bias = false}),
                 normalised(plan, name + ".bn2"));
  if (projects) {
    network.append(layers::swap(),
                   layers::conv2d(name + ".downsample.0",
                                  {.channels = conv.channels, .kernel = 1, .stride = conv.stride, .bias = false}),
                   normalised(plan, name + ".downsample.1"));
  }
  network.append(layers::add(), layers::relu());
}

}  // namespace

Architecture residual_network(const std::string& name, const ModelShape& shape, const ResidualPlan& plan) {
  Architecture network(name, shape);
  network.append(layers::conv2d("conv1", {.channels = plan.channels.front(), .kernel = 3, .padding = 1, .bias = false}),
                 normalised(plan, "bn1"), layers::relu());
  for (std::size_t stage = 0; stage < plan.channels.size(); ++stage) {
    for (std::size_t block = 0; block < plan.blocks; ++block) {
      const std::size_t stride = stage > 0 && block == 0 ? 2 : 1;
      basic_block(network, plan, "layer" + std::to_string(stage + 1) + "." + std::to_string(block),
                  {.channels = plan.channels[stage], .kernel = 3, .stride = stride, .padding = 1, .bias = false});
    }
  }
  return network.append(layers::global_average_pool(), layers::affine("fc", shape.outputs()));
}

}  // namespace souk
