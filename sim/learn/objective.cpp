#include "sim/learn/objective.hpp"

#include "scenarios/learning.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/weighted_losses.hpp"

namespace souk {

std::unique_ptr<Objective> make_objective(const scenario::Objective& config, bool of_classes) {
  scenario::Objective choice = config;
  if (choice.loss_case() == scenario::Objective::LOSS_NOT_SET) {
    if (of_classes) {
      choice.mutable_cross_entropy();
    } else {
      choice.mutable_squared_error();
    }
  }
  auto objective = PluginRegistry<Objective>::instance().create(choice, "loss");
  SOUK_REQUIRE(objective->of_classes() == of_classes, "task.objective.{}: is a loss of {}, and the data set has {}",
               plugin_name(chosen(choice, "loss")->GetDescriptor()), of_classes ? "numbers" : "classes",
               of_classes ? "classes" : "numbers to predict");
  return std::make_unique<WeightedLosses>(std::move(objective));
}

}  // namespace souk
