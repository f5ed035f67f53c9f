#include "scenarios/learning.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/architecture.hpp"
#include "sim/learn/layers/layers.hpp"

namespace souk {
namespace {

/// Multinomial logistic regression: 7,850 parameters for 784 features and 10 classes.
class LogReg final : public ModelFamily {
 public:
  explicit LogReg(const scenario::LogReg&) {}
  Architecture build(const ModelShape& shape) const override {
    SOUK_REQUIRE(shape.classes > 0,
                 "task.model.logreg: is a model of classes, and the data set has numbers to predict: take linear");
    return Architecture("logreg", shape).append(layers::affine("fc", shape.outputs()));
  }
};

const Register<ModelFamily, LogReg, scenario::LogReg> register_log_reg;

}  // namespace
}  // namespace souk
