// Certified removal: the account against gradients computed here, and its budget.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/unlearning/mean_objective.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/streams.hpp"
#include "tests/support/forgetting.hpp"
#include "tests/support/simulated.hpp"

namespace souk::unlearning_certified_test {
namespace {

using testing::HasSubstr;

const std::string certified = "logreg {}";

std::string convex_training(const std::string& noise) {
  return "learning_rate: 0.5 batch_size: 0 sgd { weight_decay: 0.05 } objective_noise: " + noise;
}

/// b / N is added to every gradient, whatever the optimizer: a step of it beside one without.
TEST(ObjectiveNoise, is_added_to_local_gradients) {
  for (const char* how : {"sgd { weight_decay: 0.05 }", "sgd { weight_decay: 0.05 momentum: 0.9 }",
                          "algorithm: FED_SGD sgd { weight_decay: 0.05 }"}) {
    const std::string training = std::string("learning_rate: 0.5 batch_size: 0 ") + how;
    const Finished noisy(run_of(1, "logreg {}", training + " objective_noise: 30", ""));
    const Finished plain(run_of(1, "logreg {}", training, ""));
    std::size_t units = 0;
    for (const std::uint32_t client : {0U, 1U, 2U, 3U}) units += noisy.units_of(client).size();
    Stream random(noisy.resolved.scenario->seed(), streams::objective_noise(0));
    const std::vector<double> moved = difference(noisy.model(), plain.model());
    for (const double value : moved) {
      EXPECT_NEAR(value, -0.5 * 30 * random.normal() / static_cast<double>(units), 1e-5) << how;
    }
  }
}

/// Certified steps: the account against a gradient computed here, and its budget.
TEST(CertifiedStep, accounts_for_what_it_leaves) {
  const std::string request = "clients { ids: 2 } certified_step { epsilon: 2000 delta: 0.01 }";
  const Finished before(run_of(40, certified, convex_training("3"), ""));
  const Finished after(run_of(40, certified, convex_training("3"), request));
  const auto residual = [&](const std::vector<float>& model, const std::vector<std::uint32_t>& clients) {
    std::vector<SampleIndex> units;
    for (const std::uint32_t client : clients) {
      for (const SampleIndex unit : before.units_of(client)) units.push_back(unit);
    }
    std::vector<float> work = model, gradient(model.size());
    before.task().gradient(work, units, gradient);
    Stream random(before.resolved.scenario->seed(), streams::objective_noise(0));
    std::vector<double> sum;
    for (std::size_t v = 0; v < model.size(); ++v) {
      sum.push_back(static_cast<double>(units.size()) * (gradient[v] + 0.05 * model[v]) + 3 * random.normal());
    }
    return length(sum);
  };
  EXPECT_NEAR(after.number("unlearning.r.certificate.residual"),
              residual(before.model(), {0, 1, 2, 3}) + residual(after.model(), {0, 1, 3}), 1e-2);
  EXPECT_NEAR(after.number("unlearning.r.certificate.budget"), 3 * 2000 / std::sqrt(2 * std::log(1.5 / 0.01)), 1e-9);
  EXPECT_LT(residual(after.model(), {0, 1, 3}), 0.2 * residual(before.model(), {0, 1, 3}));
}

TEST(CertifiedStep, within_its_budget_keeps_the_model_near_retraining) {
  for (const char* form : {"NEWTON", "INFLUENCE"}) {
    const Finished run(
        run_of(400, certified, convex_training("20"),
               std::string("samples { share: 0.02 } certified_step { form: ") + form + " } reference {}"));
    EXPECT_EQ(run.number("unlearning.r.certificate.retrained"), 0.0) << form;
    EXPECT_LT(run.number("unlearning.r.relative_distance"), 0.2) << form;
  }
}

TEST(CertifiedStep, beyond_its_budget_trains_anew_with_other_noise) {
  const Finished run(run_of(5, certified, convex_training("0.1"), "clients { ids: 2 } certified_step {} reference {}"));
  EXPECT_EQ(run.number("unlearning.r.certificate.retrained"), 1.0);
  EXPECT_EQ(run.events("budget spent"), 1U);
  EXPECT_EQ(run.events("not certified"), 1U);  // five steps are not near any minimum
  EXPECT_EQ(run.federation().noise().training(), 1U);
  EXPECT_EQ(run.number("unlearning.r.relative_distance"), 0.0);
}

/// A stream that spends its budget step by step; the account survives a break, on other ranks.
TEST(CertifiedStep, adds_up_over_requests_and_after_a_break) {
  const std::string text =
      "rounds: 60 task { data { baskets { train_samples: 240 test_samples: 60 classes: 4 features: 20 overlap: 0.9 } } "
      "model "
      "{ logreg {} } training { local_epochs: 5 " +
      convex_training("1") +
      " } } participants { clients: 4 everyone: true } unlearning { requests { name: \"s\" round: 50 "
      "every: 2 samples { share: 0.01 } certified_step { epsilon: 28.5 } } }";
  const Simulated one = simulate(text);
  double last = 0.0;
  std::size_t retrained = 0;
  for (const RoundRecord& record : one.records) {
    const std::optional<double> spent = record.metric("unlearning.s.certificate.residual");
    if (!spent) continue;
    EXPECT_GT(*spent, retrained > 0 ? 0.0 : last);
    last = *spent;
    retrained += *record.metric("unlearning.s.certificate.retrained") > 0.0 ? 1U : 0U;
  }
  EXPECT_GE(retrained, 1U);
  EXPECT_LT(retrained, 6U);
  for (const std::uint32_t round : {51U, 55U}) EXPECT_EQ(one.state, simulate(text, 2, round).state) << round;
}

TEST(CertifiedStep, and_its_noise_are_refused_where_they_hide_nothing) {
  const auto told = [](const std::string& model, const std::string& training, const std::string& more = "") {
    return refusal_of(run_of(2, model, training, "clients { ids: 2 } certified_step {} " + more));
  };
  EXPECT_THAT(told("mlp { hidden: 4 }", convex_training("1")),
              HasSubstr("task.training.objective_noise: hides residuals of convex objectives"));
  EXPECT_THAT(told("logreg {}", "objective_noise: 1"),
              HasSubstr("needs a strongly convex objective: set the weight_decay"));
  EXPECT_THAT(told("logreg {}", ""),
              HasSubstr("unlearning.requests[0].certified_step: hides what it leaves in the noise of the objective"));
  EXPECT_THAT(told("logreg {}", convex_training("1"),
                   "} requests { name: \"b\" clients { ids: 1 } certified_step { epsilon: 3 }"),
              HasSubstr("keeps one account for all requests"));
}

}  // namespace
}  // namespace souk::unlearning_certified_test
