#include "scenarios/learning.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/architecture.hpp"

namespace souk {
namespace {

/// The CNN of FLTrust (Cao et al., NDSS 2021): 139,960 parameters for 28x28x1 and 10 classes.
class CnnSmall final : public ModelFamily {
 public:
  explicit CnnSmall(const scenario::CnnSmall&) {}
  Architecture build(const ModelShape& shape) const override {
    return Architecture("cnn_small", shape)
        .conv2d("conv1", {.channels = 30, .kernel = 3})
        .relu()
        .max_pool(2)
        .conv2d("conv2", {.channels = 50, .kernel = 3})
        .relu()
        .max_pool(2)
        .affine("fc1", 100)
        .relu()
        .affine("fc2", shape.outputs());
  }
};

const Register<ModelFamily, CnnSmall, scenario::CnnSmall> registered;

}  // namespace
}  // namespace souk
