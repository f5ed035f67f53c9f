#include "agents/cast/objective_noise.hpp"

#include <algorithm>

#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/streams.hpp"
#include "sim/learn/optimizer.hpp"

namespace souk {
namespace {

void check(const scenario::Task& task) {
  const scenario::Model& model = task.model();
  SOUK_REQUIRE(model.has_logreg() || model.has_linear() || model.has_sgc(),
               "task.training.objective_noise: hides residuals of convex objectives; take the model logreg, linear or "
               "sgc, which have no hidden layer");
  SOUK_REQUIRE(!task.objective().has_focal(),
               "task.training.objective_noise: hides residuals of convex objectives, and focal is none");
  SOUK_REQUIRE(weight_decay_of_loss(task.training()) > 0.0,
               "task.training.objective_noise: needs a strongly convex objective: set the weight_decay of sgd or adam");
}

}  // namespace

ObjectiveNoise::ObjectiveNoise(const scenario::Scenario& scenario, const Task& task)
    : seed_(scenario.seed()), sigma_(scenario.task().training().objective_noise()) {
  if (!is_there()) return;
  check(scenario.task());
  values_.resize(task.layout().trainable());
  slope_.resize(values_.size());
  draw(0);
}

void ObjectiveNoise::draw(std::uint32_t training) {
  training_ = training;
  Stream random(seed_, streams::objective_noise(training));
  for (float& value : values_) value = static_cast<float>(sigma_ * random.normal());
  spread_over(units_);
}

void ObjectiveNoise::spread_over(std::size_t units) {
  units_ = units;
  const float share = units == 0 ? 0.0F : 1.0F / static_cast<float>(units);
  std::ranges::transform(values_, slope_.begin(), [&](float value) { return share * value; });
}

}  // namespace souk
