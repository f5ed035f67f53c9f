#include "scenarios/learning.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/architecture.hpp"
#include "sim/learn/layers/layers.hpp"

namespace souk {
namespace {

/// Linear regression: one weight for each feature, and an intercept.
class Linear final : public ModelFamily {
 public:
  explicit Linear(const scenario::Linear&) {}
  Architecture build(const ModelShape& shape) const override {
    SOUK_REQUIRE(shape.classes == 0,
                 "task.model.linear: is a model of numbers, and the data set has {} classes: take logreg",
                 shape.classes);
    return Architecture("linear", shape).append(layers::affine("fc", shape.outputs()));
  }
};

const Register<ModelFamily, Linear, scenario::Linear> register_linear;

}  // namespace
}  // namespace souk
