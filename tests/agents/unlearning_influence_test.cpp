// Operators that solve systems in the Hessian, against dense solutions and loops written down again.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/training/saved_model.hpp"
#include "agents/unlearning/mean_objective.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/streams.hpp"
#include "sim/learn/curvature/diagonal.hpp"
#include "sim/learn/curvature/restricted_hessian.hpp"
#include "tests/support/forgetting.hpp"
#include "tests/support/simulated.hpp"

namespace souk::unlearning_influence_test {
namespace {

using testing::HasSubstr;

/// The loop written down again: AdaHessian's moments, with the signs that the operator draws.
TEST(RapidRetraining, takes_the_steps_of_its_formula) {
  const std::string model = "logreg {}", training = "learning_rate: 0.1 sgd { weight_decay: 0.01 }";
  const Finished run(
      run_of(1, model, training,
             "clients { ids: 2 } rapid_retraining { steps: 3 learning_rate: 0.15 beta1: 0.8 beta2: 0.9 }"));
  const Finished plain(run_of(1, model, training, ""));
  std::vector<float> w = initial_parameters(plain.federation(), 0);
  const std::vector<DealtUnits> stay = plain.holders({0, 1, 3});
  std::vector<SampleIndex> units;
  for (const DealtUnits& holder : stay) units.insert(units.end(), holder.units.begin(), holder.units.end());
  std::vector<double> m(w.size(), 0.0), v(w.size(), 0.0);
  for (std::uint32_t t = 1; t <= 3; ++t) {
    std::vector<float> gradient(w.size()), signs(w.size()), product(w.size());
    plain.task().gradient(w, units, gradient);
    Stream random(plain.resolved.scenario->seed(), streams::hessian_signs(0, {2}, t - 1));
    for (float& sign : signs) sign = (random.next() & 1U) == 0 ? 1.0F : -1.0F;
    plain.task().hessian_vector(w, units, signs, product);
    for (std::size_t i = 0; i < w.size(); ++i) {
      const double g = gradient[i] + 0.01 * w[i], d = signs[i] * (product[i] + 0.01 * signs[i]);
      m[i] = 0.8 * m[i] + 0.2 * g;
      v[i] = 0.9 * v[i] + 0.1 * d * d;
      w[i] -= static_cast<float>(0.15 * (m[i] / (1 - std::pow(0.8, t))) /
                                 (std::sqrt(v[i] / (1 - std::pow(0.9, t))) + 1e-4));
    }
  }
  const std::vector<double> moved = difference(w, initial_parameters(plain.federation(), 0));
  EXPECT_LT(length(difference(run.model(), w)), 1e-4 * length(moved));
}

TEST(RapidRetraining, reaches_what_full_batches_reach_with_fewer_gradients) {
  const auto run = [](const std::string& how) {
    return Finished(run_of(150, "logreg {}", "learning_rate: 0.05 batch_size: 0", "clients { ids: 2 } " + how));
  };
  const Finished anew = run("retrain {}"), rapid = run("rapid_retraining { steps: 25 }");
  EXPECT_GE(rapid.number("unlearning.r.after.accuracy"), anew.number("unlearning.r.after.accuracy") - 0.02);
  EXPECT_LT(rapid.number("unlearning.r.gradients"), 0.7 * anew.number("unlearning.r.gradients"));
}

TEST(RestrictedHessian, of_the_last_layer_is_what_its_name_begins_with) {
  const ParameterLayout layout({{.name = "conv.weight", .shape = {4, 3}},
                                {.name = "conv.bias", .shape = {4}},
                                {.name = "fc.self", .shape = {2, 4}},
                                {.name = "fc.bias", .shape = {2}},
                                {.name = "norm.mean", .shape = {4}, .trainable = false}});
  EXPECT_EQ(parameters_of_last_layer(layout).first, 16U);
  EXPECT_EQ(parameters_of_last_layer(layout).size, 10U);
  const ParameterLayout one({{.name = "fc.weight", .shape = {2, 4}}, {.name = "fc.bias", .shape = {2}}});
  EXPECT_EQ(parameters_of_last_layer(one).first, 0U);
  EXPECT_EQ(parameters_of_last_layer(one).size, 10U);
}

/// Newton's step on the last layer, by Gauss' elimination, with products of its own; the others do not move.
TEST(Influence, of_the_last_layer_is_the_dense_solution_there) {
  const std::string model = "mlp { hidden: 4 }",
                    training = "learning_rate: 0.1 local_epochs: 3 sgd { weight_decay: 0.02 }";
  const Finished before(run_of(2, model, training, ""));
  const std::vector<float> theta = before.model();
  std::vector<SampleIndex> units;
  for (const std::uint32_t client : {0U, 1U, 3U}) {
    for (const SampleIndex unit : before.units_of(client)) units.push_back(unit);
  }
  const std::size_t size = 4 * 10 + 10, first = theta.size() - size;
  std::vector<float> gradient(theta.size()), direction(theta.size(), 0.0F), product(theta.size()), work = theta;
  before.task().gradient(work, units, gradient);
  std::vector<double> b;
  std::vector<std::vector<double>> hessian(size, std::vector<double>(size));
  for (std::size_t i = 0; i < size; ++i) {
    b.push_back(-(gradient[first + i] + 0.02 * theta[first + i]));
    direction[first + i] = 1.0F;
    before.task().hessian_vector(theta, units, direction, product);
    direction[first + i] = 0.0F;
    for (std::size_t j = 0; j < size; ++j) hessian[j][i] = product[first + j] + (i == j ? 0.02 + 0.1 : 0.0);
  }
  const std::vector<double> x = solved(hessian, b);
  for (const char* solver : {"cholesky {}", "conjugate_gradient { tolerance: 1e-6 }", "lissa { steps: 3000 }"}) {
    const Finished after(
        run_of(2, model, training,
               std::string("clients { ids: 2 } influence_step { scope: LAST_LAYER damping: 0.1 halvings: 0 ") + solver +
                   " }"));
    const std::vector<double> moved = difference(after.model(), theta);
    for (std::size_t v = 0; v < first; ++v) EXPECT_EQ(moved[v], 0.0) << solver;
    std::vector<double> apart;
    for (std::size_t i = 0; i < size; ++i) apart.push_back(moved[first + i] - x[i]);
    EXPECT_LT(length(apart), 2e-3 * length(x)) << solver;
  }
}

TEST(Influence, of_one_layer_has_one_scope) {
  const auto model = [](const std::string& scope) {
    return Finished(run_of(2, "logreg {}", "learning_rate: 0.1",
                           "clients { ids: 2 } influence_step { scope: " + scope + " }"))
        .model();
  };
  EXPECT_EQ(model("ALL"), model("LAST_LAYER"));
}

/// The bug of both authors' codes is a solution twice as long; mini-batches blur it.
TEST(Influence, by_stochastic_descent_comes_to_the_dense_solution_and_not_to_twice_of_it) {
  const std::string training = "learning_rate: 0.1 sgd { weight_decay: 0.05 }";
  const auto moved = [&](const std::string& solver) {
    const std::vector<float> before = Finished(run_of(2, "logreg {}", training, "")).model();
    return difference(Finished(run_of(2, "logreg {}", training,
                                      "clients { ids: 2 } influence_step { damping: 0.1 halvings: 0 " + solver + " }"))
                          .model(),
                      before);
  };
  const std::vector<double> dense = moved("cholesky {}");
  for (const char* batch : {"10000", "60"}) {
    const std::vector<double> x =
        moved(std::string("stochastic { steps: 1500 learning_rate: 0.002 batch_size: ") + batch + " }");
    EXPECT_NEAR(dot(x, dense) / dot(dense, dense), 1.0, 0.05) << batch;
    std::vector<double> apart;
    for (std::size_t v = 0; v < x.size(); ++v) apart.push_back(x[v] - dense[v]);
    EXPECT_LT(length(apart), (std::string(batch) == "60" ? 0.25 : 0.02) * length(dense)) << batch;
  }
}

}  // namespace
}  // namespace souk::unlearning_influence_test
