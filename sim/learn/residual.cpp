#include "sim/learn/residual.hpp"

namespace souk {
namespace {

void normalise(Architecture& network, const ResidualPlan& plan, const std::string& name) {
  if (plan.batch_norm) {
    network.batch_norm(name);
  } else {
    network.group_norm(name, plan.groups);
  }
}

void basic_block(Architecture& network, const ResidualPlan& plan, const std::string& name, const Conv& conv) {
  const bool projects = conv.stride != 1 || conv.channels != network.out().channels;
  network.save().conv2d(name + ".conv1", conv);
  normalise(network, plan, name + ".bn1");
  network.relu().conv2d(name + ".conv2", {.channels = conv.channels, .kernel = 3, .padding = 1, .bias = false});
  normalise(network, plan, name + ".bn2");
  if (projects) {
    network.swap().conv2d(name + ".downsample.0",
                          {.channels = conv.channels, .kernel = 1, .stride = conv.stride, .bias = false});
    normalise(network, plan, name + ".downsample.1");
  }
  network.add().relu();
}

}  // namespace

Architecture residual_network(const std::string& name, const ModelShape& shape, const ResidualPlan& plan) {
  Architecture network(name, shape);
  network.conv2d("conv1", {.channels = plan.channels.front(), .kernel = 3, .padding = 1, .bias = false});
  normalise(network, plan, "bn1");
  network.relu();
  for (std::size_t stage = 0; stage < plan.channels.size(); ++stage) {
    for (std::size_t block = 0; block < plan.blocks; ++block) {
      const std::size_t stride = stage > 0 && block == 0 ? 2 : 1;
      basic_block(network, plan, "layer" + std::to_string(stage + 1) + "." + std::to_string(block),
                  {.channels = plan.channels[stage], .kernel = 3, .stride = stride, .padding = 1, .bias = false});
    }
  }
  return network.global_average_pool().affine("fc", shape.outputs());
}

}  // namespace souk
