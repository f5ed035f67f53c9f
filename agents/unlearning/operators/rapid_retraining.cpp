#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "agents/training/saved_model.hpp"
#include "agents/unlearning/mean_objective.hpp"
#include "agents/unlearning/operator.hpp"
#include "agents/unlearning/retraining.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/base/random.hpp"
#include "sim/base/streams.hpp"
#include "sim/learn/curvature/diagonal.hpp"

namespace souk {
namespace {

/// AdaHessian's moments of gradient and diagonal, with bias correction. Yao et al., "ADAHESSIAN: An Adaptive Second
/// Order Optimizer for Machine Learning", AAAI 2021, Algorithm 1 with a Hessian power of 1 and without averaging over
/// space.
class Moments {
 public:
  Moments(const scenario::RapidRetraining& config, std::size_t dimension)
      : config_(config), first_(dimension, 0.0), second_(dimension, 0.0) {}

  void step(std::span<const double> gradient, std::span<const double> diagonal, std::span<float> model) {
    const double beta1 = config_.beta1(), beta2 = config_.beta2();
    power1_ *= beta1;
    power2_ *= beta2;
    for (std::size_t v = 0; v < gradient.size(); ++v) {
      first_[v] = beta1 * first_[v] + (1.0 - beta1) * gradient[v];
      second_[v] = beta2 * second_[v] + (1.0 - beta2) * diagonal[v] * diagonal[v];
      const double size = std::sqrt(second_[v] / (1.0 - power2_)) + config_.epsilon();
      const double moved = config_.learning_rate() * first_[v] / (1.0 - power1_) / size;
      model[v] = static_cast<float>(static_cast<double>(model[v]) - moved);
    }
  }

 private:
  const scenario::RapidRetraining& config_;
  double power1_ = 1.0, power2_ = 1.0;
  std::vector<double> first_, second_;
};

/// From the initial model, steps down the objective of what stays, each parameter's divided by how much its slope
/// changes. Liu et al., INFOCOM 2022; the step is that of AdaHessian, which their code takes.
class RapidRetraining final : public UnlearningOperator {
 public:
  explicit RapidRetraining(const scenario::RapidRetraining& config) : config_(config) {}

  Forgettable forgets() const override { return {.changes = true}; }

  void check(const World& world) const override {
    MeanObjective::check(world);
    const ParameterLayout& layout = world.federation.task().layout();
    SOUK_REQUIRE(layout.trainable() == layout.dimension(),
                 "trains by gradients of the clients alone, and the network has running statistics");
  }

  ForgettingCost forget(const ForgettingCase& request, RoundRecord& record) override {
    ForgettingCost cost;
    const std::vector<DealtUnits> stay = units_that_stay(request.federation());
    for (ModelServer* server : request.servers) {
      std::vector<float> model = initial_parameters(request.federation(), server->index());
      if (!stay.empty()) train(request, *server, stay, model, record, cost);
      server->take_model(model);
    }
    return cost;
  }

 private:
  void train(const ForgettingCase& request, ModelServer& server, std::span<const DealtUnits> stay,
             std::vector<float>& model, RoundRecord& record, ForgettingCost& cost) const {
    MeanObjective objective(server, request.federation().task(), stay, model);
    const HessianProduct hessian = objective.hessian();
    Moments moments(config_, model.size());
    std::uint32_t step = 0;
    for (; step < config_.steps(); ++step) {
      const std::vector<double> gradient = objective.gradient();
      Stream signs(request.scenario().seed(), streams::hessian_signs(server.index(), request.round, step));
      const std::vector<double> diagonal = estimate_diagonal(hessian, model.size(), 1, signs);
      const std::vector<float> before = model;
      moments.step(gradient, diagonal, model);
      if (std::ranges::all_of(model, [](float v) { return std::isfinite(v); })) continue;
      std::ranges::copy(before, model.begin());
      break;
    }
    record.events.push_back(
        {"rapid_retraining", -1,
         step == config_.steps() ? fmt::format("{} steps", step) : fmt::format("DIVERGED after {} steps", step)});
    cost += objective.cost();
  }

  const scenario::RapidRetraining& config_;
};

const Register<UnlearningOperator, RapidRetraining, scenario::RapidRetraining> register_rapid_retraining;

}  // namespace
}  // namespace souk
