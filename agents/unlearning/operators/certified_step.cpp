#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "agents/unlearning/influence.hpp"
#include "agents/unlearning/retraining.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/archive.hpp"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/curvature/conjugate_gradient.hpp"

namespace souk {
namespace {

/// N times the length of the objective's gradient: what is left of the minimum's condition, in the sum over units.
double residual_of(MeanObjective& objective) {
  double squares = 0.0;
  for (const double g : objective.gradient()) squares += g * g;
  return static_cast<double>(objective.units()) * std::sqrt(squares);
}

/// One step towards the minimum on what stays, and an account of what the steps leave of the gradient. Noise b in the
/// objective, of standard deviation sigma, hides a sum of residuals up to sigma epsilon / c, c = sqrt(2 ln(1.5 /
/// delta)): Guo et al., "Certified Data Removal from Machine Learning Models", ICML 2020; Chien et al., "Certified
/// Graph Unlearning", ICLR 2023 (NEWTON, for regression one against the rest); Wu et al., CEU, KDD 2023 (INFLUENCE).
/// They bound residuals; here they are measured, that of the training before the first request with them.
class CertifiedStep final : public UnlearningOperator {
 public:
  explicit CertifiedStep(const scenario::CertifiedStep& config) : config_(config) {}

  bool retrains() const override { return true; }

  void check(const World& world) const override {
    MeanObjective::check(world);
    SOUK_REQUIRE(world.federation.noise().is_there(),
                 "hides what it leaves in the noise of the objective: set task.training.objective_noise");
    for (const scenario::ForgetRequest& request : world.scenario.unlearning().requests()) {
      SOUK_REQUIRE(!request.has_rollback(),
                   "trains anew with other noise, and another request would roll back to states from before");
      SOUK_REQUIRE(
          !request.has_certified_step() || request.certified_step().SerializeAsString() == config_.SerializeAsString(),
          "keeps one account for all requests, and another request has other settings");
    }
  }

  ForgettingCost forget(const ForgettingCase& request, RoundRecord& record) override {
    ForgettingCost cost;
    const std::vector<DealtUnits> stay = units_that_stay(request.federation());
    if (stay.empty()) {
      record.events.push_back({"certified_step", -1, "nothing stays: training starts anew"});
      retrain(request, stay, record, cost);
      return cost;
    }
    const bool opens = spent_.empty();
    spent_.resize(request.servers.size(), 0.0);
    bool exceeded = false;
    for (std::size_t i = 0; i < request.servers.size(); ++i) {
      ModelServer& server = *request.servers[i];
      if (opens) spent_[i] = residual_before(request, server, stay, cost);
      step(request, server, stay, record, cost);
      spent_[i] += residual_after(request, server, stay, cost);
      record.add(request.prefix(server) + "certificate.residual", spent_[i]);
      record.add(request.prefix(server) + "certificate.budget", budget(request));
      exceeded = exceeded || !(spent_[i] <= budget(request));
    }
    if (exceeded) {
      record.events.push_back({"budget spent", -1, "training starts anew, with other noise"});
      retrain(request, stay, record, cost);
    }
    for (const ModelServer* server : request.servers) {
      record.add(request.prefix(*server) + "certificate.retrained", exceeded ? 1.0 : 0.0);
    }
    return cost;
  }

  void serialize(Archive& archive) override { archive.field("residuals left by certified steps", spent_); }

 private:
  double budget(const ForgettingCase& request) const {
    const double c = std::sqrt(2.0 * std::log(1.5 / config_.delta()));
    return request.federation().noise().sigma() * config_.epsilon() / c;
  }

  /// What the training has left, in the data as they were.
  static double residual_before(const ForgettingCase& request, ModelServer& server, std::span<const DealtUnits> stay,
                                ForgettingCost& cost) {
    const TaskBefore before(request);
    const std::vector<DealtUnits> all = united(stay, request.holders);
    MeanObjective objective(server, before.task(), all, server.parameters());
    const double residual = residual_of(objective);
    cost += objective.cost();
    return residual;
  }

  static double residual_after(const ForgettingCase& request, ModelServer& server, std::span<const DealtUnits> stay,
                               ForgettingCost& cost) {
    MeanObjective objective(server, request.federation().task(), stay, server.parameters());
    const double residual = residual_of(objective);
    cost += objective.cost();
    return residual;
  }

  void step(const ForgettingCase& request, ModelServer& server, std::span<const DealtUnits> stay, RoundRecord& record,
            ForgettingCost& cost) const {
    std::vector<float> model(server.parameters().begin(), server.parameters().end());
    const TaskBefore before(request);
    const std::vector<DealtUnits> all = united(stay, request.holders);
    const bool newton = config_.form() == scenario::CertifiedStep::NEWTON;
    const std::vector<float> at = model;
    MeanObjective objective(server, newton ? request.federation().task() : before.task(), newton ? stay : all, at);
    std::vector<double> b;
    double sign = -1.0;
    if (newton) {
      b = objective.gradient();
    } else {
      b = gradients_lost(request, server, before, stay, at, {}, cost);
      sign = 1.0 / static_cast<double>(objective.units());
    }
    const scenario::ConjugateGradient& cg = config_.conjugate_gradient();
    const Solution solution = solve_conjugate_gradient(
        objective.hessian(), b, {.damping = 0.0, .max_iterations = cg.steps(), .tolerance = cg.tolerance()});
    for (std::size_t v = 0; v < solution.x.size(); ++v) model[v] += static_cast<float>(sign * solution.x[v]);
    record.events.push_back(
        {"certified_step", -1,
         fmt::format("{} products, residual of the system {:.3g}", solution.products, solution.residual)});
    cost += objective.cost();
    server.take_model(model);
  }

  /// Training anew with other noise; the account begins with what it leaves.
  void retrain(const ForgettingCase& request, std::span<const DealtUnits> stay, RoundRecord& record,
               ForgettingCost& cost) {
    Federation& federation = request.world.federation;
    federation.draw_noise(federation.noise().training() + 1);
    Retraining retraining(request.world);
    retraining.train_through({request.round.value - 1});
    cost += retraining.cost();
    spent_.assign(request.servers.size(), 0.0);
    for (std::size_t i = 0; i < request.servers.size(); ++i) {
      request.servers[i]->take_over(retraining.model(i));
      if (!stay.empty()) spent_[i] = residual_after(request, *request.servers[i], stay, cost);
      if (spent_[i] <= budget(request)) continue;
      record.events.push_back(
          {"not certified", -1,
           fmt::format(
               "training itself leaves a residual of {:.4g}, and the budget is {:.4g}: train nearer to the minimum",
               spent_[i], budget(request))});
    }
  }

  const scenario::CertifiedStep& config_;
  std::vector<double> spent_;  ///< [owners] residuals since the last training anew; empty: nothing was forgotten yet
};

const Register<UnlearningOperator, CertifiedStep, scenario::CertifiedStep> register_certified_step;

}  // namespace
}  // namespace souk
