#include "scenarios/learning.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/architecture.hpp"
#include "sim/learn/layers/layers.hpp"

namespace souk {
namespace {

/// The CNN of McMahan et al., AISTATS 2017, and of LEAF: 1,663,370 parameters for 28x28x1 and 10 classes.
class Cnn final : public ModelFamily {
 public:
  explicit Cnn(const scenario::Cnn&) {}
  Architecture build(const ModelShape& shape) const override {
    return Architecture("cnn", shape)
        .append(layers::conv2d("conv1", {.channels = 32, .kernel = 5, .padding = 2}), layers::relu(),
                layers::max_pool(2))
        .append(layers::conv2d("conv2", {.channels = 64, .kernel = 5, .padding = 2}), layers::relu(),
                layers::max_pool(2))
        .append(layers::affine("fc1", 512), layers::relu())
        .append(layers::affine("fc2", shape.outputs()));
  }
};

const Register<ModelFamily, Cnn, scenario::Cnn> register_cnn;

}  // namespace
}  // namespace souk
