#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <fmt/format.h>

#include "agents/unlearning/influence.hpp"
#include "agents/unlearning/operator.hpp"
#include "agents/unlearning/retraining.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/contract.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/curvature/cholesky_solver.hpp"
#include "sim/learn/curvature/conjugate_gradient.hpp"
#include "sim/learn/curvature/diagonal.hpp"
#include "sim/learn/curvature/lissa.hpp"
#include "sim/learn/curvature/restricted_hessian.hpp"
#include "sim/learn/curvature/stochastic.hpp"

namespace souk {
namespace {

const char* name_of_end(SolveEnd end) {
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

  Forgettable forgets() const override { return {.changes = true}; }

  void check(const World& world) const override {
    MeanObjective::check(world);
    const std::size_t moved = moving(world.federation.task().layout()).size;
    SOUK_REQUIRE(!config_.has_cholesky() || moved <= largest_dense_hessian,
                 "cholesky: takes up to {} parameters, and {} move", largest_dense_hessian, moved);
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

  TrainableRange moving(const ParameterLayout& layout) const {
    return config_.scope() == Form::LAST_LAYER ? parameters_of_last_layer(layout)
                                               : TrainableRange{0, layout.trainable()};
  }

  void step(const ForgettingCase& request, ModelServer& server, RoundRecord& record, ForgettingCost& cost) const {
    const Federation& federation = request.federation();
    const std::vector<float> model(server.parameters().begin(), server.parameters().end());
    const std::vector<DealtUnits> stay = units_that_stay(federation);
    const auto say = [&](const std::string& text) { record.events.push_back({"influence", -1, text}); };
    if (stay.empty()) return say("nothing stays: the model is what it was");
    MeanObjective rest(server, federation.task(), stay, model);
    const std::vector<double> moved = config_.form() == Form::NEWTON
                                          ? newton_step(rest, request.round, say)
                                          : influence(request, server, stay, model, say, cost);
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
  std::vector<double> newton_step(MeanObjective& rest, RoundIndex round, const Say& say) const {
    std::vector<double> b = rest.gradient();
    for (double& value : b) value = -value;
    return solve(rest, b, round, say);
  }

  template <class Say>
  std::vector<double> influence(const ForgettingCase& request, ModelServer& server, std::span<const DealtUnits> stay,
                                std::span<const float> model, const Say& say, ForgettingCost& cost) const {
    const TaskBefore before(request);
    const std::vector<DealtUnits> come = holders_without(request.changed, request.holders);
    const std::vector<DealtUnits> all = united(holders_without(stay, come), request.holders);
    MeanObjective old(server, before.task(), all, model);
    const std::vector<double> b = gradients_lost(
        request, server, before, stay, model,
        {.neighbours = config_.form() != Form::CLASSICAL, .regulariser = config_.form() == Form::INFLUENCE}, cost);
    if (length_of(b) == 0.0) return say("no gradient changes: the model is what it was"), std::vector<double>();
    std::vector<double> x = solve(old, b, request.round, say);
    for (double& value : x) value /= static_cast<double>(old.units());
    cost += old.cost();
    return x;
  }

  /// x of (H + rho I) x = b, both of the parameters that move: [trainable], 0 for those that are held.
  template <class Say>
  std::vector<double> solve(MeanObjective& objective, std::span<const double> b, RoundIndex round,
                            const Say& say) const {
    const TrainableRange range = moving(objective.layout());
    const Solution solution = solve_within(objective, b, range, round);
    say(fmt::format("the solver {} after {} products, residual {:.3g}{}", name_of_end(solution.end), solution.products,
                    solution.residual,
                    solution.largest_eigenvalue > 0.0
                        ? fmt::format(", largest eigenvalue {:.4g}", solution.largest_eigenvalue)
                        : ""));
    std::vector<double> x(b.size(), 0.0);
    std::ranges::copy(solution.x, range.of(std::span(x)).begin());
    return x;
  }

  Solution solve_within(MeanObjective& objective, std::span<const double> all, TrainableRange range,
                        RoundIndex round) const {
    const std::span<const double> b = range.of(all);
    const double rho = config_.damping();
    const HessianProduct hessian = restricted(objective.hessian(), all.size(), range);
    if (config_.has_lissa()) {
      return solve_lissa(hessian, b,
                         {.damping = rho, .scale = config_.lissa().scale(), .steps = config_.lissa().steps()});
    }
    if (config_.has_cholesky()) return solve_cholesky(hessian, b, rho);
    if (config_.has_diagonal()) {
      const std::vector<double> diagonal = objective.fisher_diagonal();
      return solve_diagonal(range.of(std::span(diagonal)), b, rho);
    }
    if (config_.has_stochastic()) return descend(objective, b, range, round);
    const scenario::ConjugateGradient& cg = config_.conjugate_gradient();
    return solve_conjugate_gradient(hessian, b,
                                    {.damping = rho, .max_iterations = cg.steps(), .tolerance = cg.tolerance()});
  }

  /// The same by products of mini-batches. IF-DFM's early stopping, which the noise of small ones sets off, is not
  /// taken.
  Solution descend(MeanObjective& objective, std::span<const double> b, TrainableRange range, RoundIndex round) const {
    const scenario::StochasticDescent& descent = config_.stochastic();
    const SampledProduct sampled = objective.sampled_hessian(descent.batch_size(), round);
    std::size_t now = 0;
    const HessianProduct product =
        restricted([&](std::span<const float> direction, std::span<float> out) { sampled(now, direction, out); },
                   objective.layout().trainable(), range);
    return solve_stochastic(
        [&](std::size_t step, std::span<const float> direction, std::span<float> out) {
          now = step;
          product(direction, out);
        },
        b,
        {.learning_rate = descent.learning_rate(),
         .damping = config_.damping(),
         .steps = descent.steps(),
         .patience = descent.steps()});
  }

  const scenario::InfluenceStep& config_;
};

const Register<UnlearningOperator, InfluenceStep, scenario::InfluenceStep> register_influence_step;

}  // namespace
}  // namespace souk
