// Operators that teach, against central differences and divergences written down again.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/unlearning/looks.hpp"
#include "agents/unlearning/teacher_divergence.hpp"
#include "scenarios/scenario.pb.h"
#include "sim/base/streams.hpp"
#include "tests/support/forgetting.hpp"
#include "tests/support/simulated.hpp"

namespace souk::unlearning_teachers_test {
namespace {

/// Mean of KL(p_a || p_b) over units, from logits.
double divergence(const std::vector<float>& a, const std::vector<float>& b, std::size_t width) {
  double sum = 0.0;
  for (std::size_t first = 0; first < a.size(); first += width) {
    double za = 0.0, zb = 0.0;
    for (std::size_t c = first; c < first + width; ++c) {
      za += std::exp(static_cast<double>(a[c]));
      zb += std::exp(static_cast<double>(b[c]));
    }
    for (std::size_t c = first; c < first + width; ++c) {
      const double p = std::exp(static_cast<double>(a[c])) / za, q = std::exp(static_cast<double>(b[c])) / zb;
      sum += p * std::log(p / q);
    }
  }
  return sum / static_cast<double>(a.size() / width);
}

/// At temperature 2 against central differences, and by hand where the answers are the teacher's.
TEST(TeacherDivergence, has_the_gradient_of_its_losses) {
  TeacherDivergence divergence(3, 2.0);
  divergence.teach({1.0F, -0.5F, 0.25F, 0.0F, 2.0F, 1.0F});
  const std::vector<float> logits{0.3F, 0.1F, -0.7F, 1.0F, -0.5F, 0.25F};
  const std::vector<std::int32_t> rows{1, 0};
  const Targets targets{.classes = rows};
  std::vector<float> gradient = logits;
  const double sum = divergence.gradient(gradient, 3, targets, 2);
  std::vector<double> losses(2);
  divergence.losses(logits, 3, targets, losses);
  EXPECT_NEAR(losses[0] + losses[1], sum, 1e-9);
  EXPECT_NEAR(losses[1], 0.0, 1e-6);
  for (std::size_t v = 0; v < logits.size(); ++v) {
    std::vector<float> up = logits, down = logits;
    up[v] += 1e-2F;
    down[v] -= 1e-2F;
    std::vector<double> above(2), below(2);
    divergence.losses(up, 3, targets, above);
    divergence.losses(down, 3, targets, below);
    EXPECT_NEAR(gradient[v], (above[0] + above[1] - below[0] - below[1]) / 0.02 / 2.0, 1e-4) << v;
  }
}

TEST(TwoTeachers, bring_answers_about_the_forgotten_near_those_of_an_untrained_network) {
  const std::string model = "mlp { hidden: 12 }", training = "learning_rate: 0.1 local_epochs: 5 batch_size: 16";
  const Finished before(run_of(4, model, training, ""));
  std::vector<SampleIndex> gone, rest;
  for (const std::uint32_t client : {0U, 1U, 2U, 3U}) {
    for (const SampleIndex unit : before.units_of(client))
      (before.task().labels()[unit] == 3 ? gone : rest).push_back(unit);
  }
  std::ranges::sort(gone);
  std::ranges::sort(rest);
  const auto answers = [&](const std::vector<float>& of, const std::vector<SampleIndex>& units) {
    return answers_to(before.comm, before.task(), of, Split::train, units, 50);
  };
  std::vector<float> untrained = before.model();
  Stream random(before.resolved.scenario->seed(), streams::random_model(0, {5}));
  before.task().initialise(random, untrained);
  const auto after = [&](const std::string& how) {
    return Finished(run_of(4, model, training, "samples { of_class: 3 } d2dgn { " + how + " }")).model();
  };
  const std::vector<float> taught = after("steps: 100 learning_rate: 0.5");
  const auto wanted = answers(untrained, gone);
  EXPECT_LT(divergence(wanted, answers(taught, gone), 10), 0.4 * divergence(wanted, answers(before.model(), gone), 10));
  EXPECT_LT(divergence(answers(before.model(), rest), answers(taught, rest), 10), 0.3);
  // Nobody to unlearn from: the model answers as before by being what it was.
  EXPECT_LT(length(difference(after("alpha: 0"), before.model())), 1e-5);
}

TEST(TwoTeachers, teach_nodes_of_a_graph) {
  const auto text = [](const std::string& request) {
    return "rounds: 2 training_rounds: 1 task { data { communities { custom { nodes: 200 edges: 600 classes: 3 "
           "features: 60 } } } "
           "model { gcn { hidden: 8 } } training { learning_rate: 0.05 batch_size: 0 local_epochs: 40 adam {} } } "
           "participants { clients: 2 everyone: true } unlearning { requests { name: \"r\" round: 2 " +
           request + " } }";
  };
  const Finished taught(text("nodes { share: 0.2 } d2dgn { steps: 30 }"));
  const Finished nothing(text("nodes { share: 0.2 } no_update {}"));
  EXPECT_GT(taught.number("unlearning.r.after.accuracy"), nothing.number("unlearning.r.after.accuracy") - 0.1);
  EXPECT_NE(taught.model(), nothing.model());
  EXPECT_EQ(Finished(text("edges { share: 0.2 } d2dgn { steps: 2 }")).events("d2dgn"), 1U);
}

}  // namespace
}  // namespace souk::unlearning_teachers_test
