#include "agents/unlearning/together.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/plugin_registry.hpp"

namespace souk {
namespace {

/// One model, which answers by itself.
class ByMeanModel final : public TogetherRule {
 public:
  explicit ByMeanModel(const scenario::MeanModel&) {}
  bool of_answers() const override { return false; }
};

const Register<TogetherRule, ByMeanModel, scenario::MeanModel> register_by_mean_model;

}  // namespace
}  // namespace souk
