#include <array>
#include <string>

#include "scenarios/learning.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/architecture.hpp"
#include "sim/learn/layers/layers.hpp"

namespace souk {
namespace {

/// A VGG-like CNN (after Simonyan and Zisserman, ICLR 2015): 550,570 parameters for 32x32x3 and 10 classes.
class CnnCifar final : public ModelFamily {
 public:
  explicit CnnCifar(const scenario::CnnCifar&) {}
  Architecture build(const ModelShape& shape) const override {
    Architecture network("cnn_cifar", shape);
    std::size_t layer = 0;
    for (const std::size_t channels : std::array<std::size_t, 3>{32, 64, 128}) {
      for (int convolution = 0; convolution < 2; ++convolution) {
        network.append(
            layers::conv2d("conv" + std::to_string(++layer), {.channels = channels, .kernel = 3, .padding = 1}),
            layers::relu());
      }
      network.append(layers::max_pool(2));
    }
    return network.append(layers::affine("fc1", 128), layers::relu(), layers::affine("fc2", shape.outputs()));
  }
};

const Register<ModelFamily, CnnCifar, scenario::CnnCifar> register_cnn_cifar;

}  // namespace
}  // namespace souk
