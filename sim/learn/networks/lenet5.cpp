#include "scenarios/learning.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/architecture.hpp"
#include "sim/learn/layers/layers.hpp"

namespace souk {
namespace {

/// LeNet-5 of LeCun et al., 1998, as it is used today: ReLU, max pooling, full connections between the convolutions.
/// 61,706 parameters for 28x28x1 and 10 classes.
class LeNet5 final : public ModelFamily {
 public:
  explicit LeNet5(const scenario::LeNet5&) {}
  Architecture build(const ModelShape& shape) const override {
    return Architecture("lenet5", shape)
        .append(layers::conv2d("conv1", {.channels = 6, .kernel = 5, .padding = 2}), layers::relu(),
                layers::max_pool(2))
        .append(layers::conv2d("conv2", {.channels = 16, .kernel = 5}), layers::relu(), layers::max_pool(2))
        .append(layers::affine("fc1", 120), layers::relu())
        .append(layers::affine("fc2", 84), layers::relu())
        .append(layers::affine("fc3", shape.outputs()));
  }
};

const Register<ModelFamily, LeNet5, scenario::LeNet5> register_le_net5;

}  // namespace
}  // namespace souk
