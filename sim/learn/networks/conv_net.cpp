#include <cstdint>
#include <memory>
#include <string>

#include "scenarios/learning.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/architecture.hpp"
#include "sim/learn/layers/layers.hpp"

namespace souk {
namespace {

/// Convolutions and one affine layer, as the scenario lists them; nothing is pooled.
class ConvNet final : public ModelFamily {
 public:
  explicit ConvNet(const scenario::ConvNet& config) : config_(config) {
    for (const std::uint32_t stride : {2U, 2U, 1U}) {
      if (config.convolutions_size() == 0) add(stride);
    }
  }

  Architecture build(const ModelShape& shape) const override {
    Architecture network("conv_net", shape);
    for (int i = 0; i < config_.convolutions_size(); ++i) {
      const scenario::Convolution& conv = config_.convolutions(i);
      const std::string number = std::to_string(i + 1);
      network.append(layers::conv2d("conv" + number, {.channels = conv.channels(),
                                                      .kernel = conv.kernel(),
                                                      .stride = conv.stride(),
                                                      .padding = conv.padding(),
                                                      .bias = !config_.batch_norm()}));
      if (config_.batch_norm()) network.append(layers::batch_norm("bn" + number));
      network.append(activation());
    }
    return network.append(layers::affine("fc", shape.outputs()));
  }

 private:
  void add(std::uint32_t stride) {
    scenario::Convolution& conv = *config_.add_convolutions();
    conv.set_kernel(5);
    conv.set_padding(2);
    conv.set_stride(stride);
  }

  std::unique_ptr<Layer> activation() const {
    switch (config_.activation()) {
      case scenario::ConvNet::RELU:
        return layers::relu();
      case scenario::ConvNet::SIGMOID:
        return layers::sigmoid();
      default:
        return layers::leaky_relu(config_.negative_slope());
    }
  }

  scenario::ConvNet config_;
};

const Register<ModelFamily, ConvNet, scenario::ConvNet> register_conv_net;

}  // namespace
}  // namespace souk
