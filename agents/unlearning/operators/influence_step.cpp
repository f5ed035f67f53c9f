#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <fmt/format.h>

#include "agents/unlearning/affected.hpp"
#include "agents/unlearning/mean_objective.hpp"
#include "agents/unlearning/operator.hpp"
#include "agents/unlearning/retraining.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/curvature/cholesky_solver.hpp"
#include "sim/learn/curvature/conjugate_gradient.hpp"
#include "sim/learn/curvature/diagonal.hpp"
#include "sim/learn/curvature/lissa.hpp"

namespace souk {
namespace {

const char* to_string(SolveEnd end) {
  switch (end) {
    case SolveEnd::converged:
      return "converged";
    case SolveEnd::iterations:
      return "ended at its last step";
    case SolveEnd::diverged:
      return "DIVERGED";
    case SolveEnd::negative_curvature:
      return "met negative curvature";
  }
  return "";
}

double length_of(std::span<const double> values) {
  return std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0));
}

/// One step by influence. With H the Hessian of the mean loss over N units, weight decay included, and rho the damping:
///   (H + rho I) x = b,  theta' = theta + x / N,
/// b the gradients of affected units before minus after. Wu et al., GIF, WWW 2023, whose term of the regulariser is
/// missing: where u units leave, b has u times the weight decay times theta as well. NEWTON: the gradient and the
/// Hessian of the objective that is left.
class InfluenceStep final : public UnlearningOperator {
 public:
  explicit InfluenceStep(const scenario::InfluenceStep& config) : config_(config) {}

  void check(const World& world) const override {
    const scenario::Training& training = world.scenario.task().training();
    SOUK_REQUIRE(
        training.layer_weight_decay_size() == 0,
        "takes one weight decay for all parameters, and task.training.layer_weight_decay names one for each layer");
    SOUK_REQUIRE(!training.has_adamw() || training.adamw().weight_decay() == 0.0,
                 "takes weight decay for a part of the loss, and that of adamw is none: set its weight_decay to 0");
    SOUK_REQUIRE(!world.federation.data().graph.own_nodes,
                 "differentiates losses in the whole graph, and clients train on their own nodes alone");
    const std::size_t trainable = world.federation.task().layout().trainable();
    SOUK_REQUIRE(!config_.has_cholesky() || trainable <= largest_dense_hessian,
                 "cholesky: takes up to {} parameters, and the model has {}", largest_dense_hessian, trainable);
    SOUK_REQUIRE(config_.form() != scenario::InfluenceStep::CLASSICAL || world.federation.data().graph.nodes() > 0,
                 "form = CLASSICAL: is for graphs, and the samples of the data set are rows");
  }

  ForgettingCost forget(const ForgettingCase& request, RoundRecord& record) override {
    ForgettingCost cost;
    for (ModelServer* server : request.servers) step(request, *server, record, cost);
    return cost;
  }

 private:
  using Form = scenario::InfluenceStep;

  void step(const ForgettingCase& request, ModelServer& server, RoundRecord& record, ForgettingCost& cost) const {
    const Federation& federation = request.federation();
    const std::vector<float> model(server.parameters().begin(), server.parameters().end());
    const std::vector<DealtUnits> stay = units_that_stay(federation);
    const auto say = [&](const std::string& text) { record.events.push_back({"influence", -1, text}); };
    if (stay.empty()) return say("nothing stays: the model is what it was");
    MeanObjective rest(request.comm(), federation, federation.task(), stay, model);
    const std::vector<double> moved =
        config_.form() == Form::NEWTON ? newton_step(rest, say) : influence(request, server, stay, model, say, cost);
    cost += rest.cost();
    if (moved.empty()) return;
    const double length = length_of(moved);
    std::vector<double> theta(model.begin(), model.begin() + static_cast<std::ptrdiff_t>(moved.size()));
    const double factor = length_allowed(length) * search(rest, theta, moved, length_allowed(length), say);
    std::vector<float> changed = model;
    for (std::size_t v = 0; v < moved.size(); ++v) changed[v] = static_cast<float>(theta[v] + factor * moved[v]);
    server.take_model(changed);
  }

  double length_allowed(double length) const {
    return config_.longest() > 0.0 && length > config_.longest() ? config_.longest() / length : 1.0;
  }

  /// By how much the step is shortened so that the loss on what stays does not grow.
  template <class Say>
  double search(MeanObjective& rest, std::span<const double> theta, std::span<const double> moved, double allowed,
                const Say& say) const {
    if (config_.halvings() == 0) return 1.0;
    const double before = rest.at(theta);
    double factor = 1.0;
    for (std::uint32_t h = 0; h <= config_.halvings(); ++h, factor *= 0.5) {
      std::vector<double> there(theta.begin(), theta.end());
      for (std::size_t v = 0; v < there.size(); ++v) there[v] += allowed * factor * moved[v];
      if (rest.at(there) <= before) break;
      if (h == config_.halvings()) return say("no part of the step is down: the model is what it was"), 0.0;
    }
    if (factor < 1.0) say(fmt::format("the step is shortened to {} of its length", factor));
    return factor;
  }

  /// x of (H' + rho I) x = -g', g' and H' of what stays.
  template <class Say>
  std::vector<double> newton_step(MeanObjective& rest, const Say& say) const {
    std::vector<double> b = rest.gradient();
    for (double& value : b) value = -value;
    return solve(rest, b, say);
  }

  template <class Say>
  std::vector<double> influence(const ForgettingCase& request, const ModelServer& server,
                                std::span<const DealtUnits> stay, std::span<const float> model, const Say& say,
                                ForgettingCost& cost) const {
    const Federation& federation = request.federation();
    const TaskBefore before_cut(request);
    Task& as_it_was = before_cut.task();
    const std::vector<DealtUnits> felt = units_that_feel(request, stay);
    const bool neighbours = config_.form() != Form::CLASSICAL;
    const std::vector<DealtUnits> before =
        united(request.holders, neighbours ? std::span<const DealtUnits>(felt) : std::span<const DealtUnits>());
    const std::vector<DealtUnits> all = united(stay, request.holders);
    MeanObjective old(request.comm(), federation, as_it_was, all, model);
    std::vector<double> b(server.trainable().size(), 0.0);
    const auto add = [&](std::span<const DealtUnits> holders, Task& task, double sign) {
      if (holders.empty()) return;
      MeanObjective part(request.comm(), federation, task, holders, model);
      const std::vector<double> gradient = part.gradient_of_losses();
      for (std::size_t v = 0; v < b.size(); ++v) b[v] += sign * gradient[v];
      cost += part.cost();
    };
    add(before, as_it_was, 1.0);
    if (neighbours) add(felt, federation.task(), -1.0);
    if (config_.form() == Form::INFLUENCE) {
      const double weight = static_cast<double>(request.units.size()) * old.weight_decay();
      for (std::size_t v = 0; v < b.size(); ++v) b[v] += weight * static_cast<double>(server.trainable()[v]);
    }
    if (length_of(b) == 0.0) return say("no gradient changes: the model is what it was"), std::vector<double>();
    std::vector<double> x = solve(old, b, say);
    for (double& value : x) value /= static_cast<double>(old.units());
    cost += old.cost();
    return x;
  }

  template <class Say>
  std::vector<double> solve(MeanObjective& objective, std::span<const double> b, const Say& say) const {
    const HessianProduct hessian = objective.hessian();
    const double rho = config_.damping();
    Solution solution;
    if (config_.has_lissa()) {
      solution =
          solve_lissa(hessian, b, {.damping = rho, .scale = config_.lissa().scale(), .steps = config_.lissa().steps()});
    } else if (config_.has_cholesky()) {
      solution = solve_cholesky(hessian, b, rho);
    } else if (config_.has_diagonal()) {
      solution = solve_diagonal(objective.fisher_diagonal(), b, rho);
    } else {
      const scenario::ConjugateGradient& cg = config_.conjugate_gradient();
      solution = solve_conjugate_gradient(hessian, b,
                                          {.damping = rho, .max_iterations = cg.steps(), .tolerance = cg.tolerance()});
    }
    say(fmt::format("the solver {} after {} products, residual {:.3g}{}", to_string(solution.end), solution.products,
                    solution.residual,
                    solution.largest_eigenvalue > 0.0
                        ? fmt::format(", largest eigenvalue {:.4g}", solution.largest_eigenvalue)
                        : ""));
    return solution.x;
  }

  const scenario::InfluenceStep& config_;
};

const Register<UnlearningOperator, InfluenceStep, scenario::InfluenceStep> registered;

}  // namespace
}  // namespace souk
