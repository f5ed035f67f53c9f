#include "scenarios/learning.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/architecture.hpp"
#include "sim/learn/layers/layers.hpp"

namespace souk {
namespace {

/// The CNN of FLTrust (Cao et al., NDSS 2021): 139,960 parameters for 28x28x1 and 10 classes.
class CnnSmall final : public ModelFamily {
 public:
  explicit CnnSmall(const scenario::CnnSmall&) {}
  Architecture build(const ModelShape& shape) const override {
    return Architecture("cnn_small", shape)
        .append(layers::conv2d("conv1", {.channels = 30, .kernel = 3}), layers::relu(), layers::max_pool(2))
        .append(layers::conv2d("conv2", {.channels = 50, .kernel = 3}), layers::relu(), layers::max_pool(2))
        .append(layers::affine("fc1", 100), layers::relu())
        .append(layers::affine("fc2", shape.outputs()));
  }
};

const Register<ModelFamily, CnnSmall, scenario::CnnSmall> register_cnn_small;

}  // namespace
}  // namespace souk
