#include "scenarios/learning.pb.h"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/architecture.hpp"

namespace souk {
namespace {

/// Multinomial logistic regression: 7,850 parameters for 784 features and 10 classes.
class LogReg final : public ModelFamily {
 public:
  explicit LogReg(const scenario::LogReg&) {}
  Architecture build(const ModelShape& shape) const override {
    return Architecture("logreg", shape).affine("fc", static_cast<std::size_t>(shape.classes));
  }
};

const Register<ModelFamily, LogReg, scenario::LogReg> registered;

}  // namespace
}  // namespace souk
