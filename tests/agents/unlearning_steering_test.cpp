// Steered answers against the formula written down again over hidden values that are computed here.
#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agents/unlearning/looks.hpp"
#include "sim/learn/answer_turn.hpp"
#include "sim/learn/tasks/row_task.hpp"
#include "tests/support/forgetting.hpp"
#include "tests/support/simulated.hpp"

namespace souk::unlearning_steering_test {
namespace {

using testing::HasSubstr;

const std::string mlp = "mlp { hidden: 12 }", training = "learning_rate: 0.1 local_epochs: 5 batch_size: 16";

/// ReLU(W1 x + b1) of training units, [units, 12], from the flat parameters.
std::vector<std::vector<double>> hidden_values(const Finished& run, const std::vector<SampleIndex>& units,
                                               Split split) {
  const std::vector<float> model = run.model();
  const Dataset& data = run.task().rows()->data(split);
  const std::size_t features = data.features();
  std::vector<float> rows(units.size() * features);
  data.copy_features(units, rows);
  std::vector<std::vector<double>> hidden(units.size(), std::vector<double>(12));
  for (std::size_t i = 0; i < units.size(); ++i) {
    for (std::size_t j = 0; j < 12; ++j) {
      double sum = static_cast<double>(model[12 * features + j]);
      for (std::size_t x = 0; x < features; ++x) {
        sum += static_cast<double>(model[j * features + x]) * static_cast<double>(rows[i * features + x]);
      }
      hidden[i][j] = std::max(sum, 0.0);
    }
  }
  return hidden;
}

std::vector<double> mean_of(const std::vector<std::vector<double>>& rows) {
  std::vector<double> mean(rows.front().size(), 0.0);
  for (const auto& row : rows) {
    for (std::size_t j = 0; j < mean.size(); ++j) mean[j] += row[j] / static_cast<double>(rows.size());
  }
  return mean;
}

/// Logits W (h + strength g(h) d) + b, [units, 10].
std::vector<double> steered(const Finished& run, const std::vector<std::vector<double>>& hidden,
                            const std::vector<double>& rest, const std::vector<double>& gone, double strength,
                            double sharpness) {
  const std::vector<float> model = run.model();
  const std::size_t weight = model.size() - 130, bias = model.size() - 10;
  double squared = 0.0;
  for (std::size_t j = 0; j < 12; ++j) squared += (rest[j] - gone[j]) * (rest[j] - gone[j]);
  std::vector<double> logits;
  for (const auto& h : hidden) {
    double s = 0.0;
    for (std::size_t j = 0; j < 12; ++j) s += (0.5 * (rest[j] + gone[j]) - h[j]) * (rest[j] - gone[j]) / squared;
    const double gate = strength / (1.0 + std::exp(-sharpness * s));
    for (std::size_t c = 0; c < 10; ++c) {
      double sum = static_cast<double>(model[bias + c]);
      for (std::size_t j = 0; j < 12; ++j) {
        sum += static_cast<double>(model[weight + c * 12 + j]) * (h[j] + gate * (rest[j] - gone[j]));
      }
      logits.push_back(sum);
    }
  }
  return logits;
}

TEST(SteerActivations, answer_by_their_formula_and_leave_the_model_alone) {
  const Finished before(run_of(3, mlp, training, ""));
  const Finished after(
      run_of(3, mlp, training, "samples { of_class: 3 } steer_activations { strength: 1.5 sharpness: 4 }"));
  EXPECT_EQ(before.model(), after.model());
  std::vector<SampleIndex> gone, rest;
  for (const std::uint32_t client : {0U, 1U, 2U, 3U}) {
    for (const SampleIndex unit : before.units_of(client)) {
      (before.task().labels()[unit] == 3 ? gone : rest).push_back(unit);
    }
  }
  const std::vector<SampleIndex> tested = all_units(before.task(), Split::test);
  const std::vector<double> expected =
      steered(before, hidden_values(before, tested, Split::test), mean_of(hidden_values(before, rest, Split::train)),
              mean_of(hidden_values(before, gone, Split::train)), 1.5, 4.0);
  const auto answers = [&] { return answers_to(after.comm, after.task(), after.model(), Split::test, tested, 25); };
  std::vector<float> turned;
  {
    const ModelServer::Answering here(after.server());
    turned = answers();
  }
  double largest = 0.0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i] - static_cast<double>(turned[i])));
  }
  EXPECT_LT(largest, 1e-3);
  EXPECT_EQ(answers(), answers_to(before.comm, before.task(), before.model(), Split::test, tested, 25));
  EXPECT_LT(after.number("unlearning.r.after.forgotten_accuracy"),
            after.number("unlearning.r.before.forgotten_accuracy"));
  EXPECT_EQ(after.number("accuracy"), after.number("unlearning.r.after.accuracy"));
}

/// Training goes on as if nothing had been asked, but for what is no longer there; with no strength, so do the answers.
TEST(SteerActivations, of_no_strength_change_nothing) {
  const std::string what = "samples { share: 0.2 } ";
  const Finished nothing(run_of(3, mlp, training, what + "no_update {}"));
  const Finished weak(run_of(3, mlp, training, what + "steer_activations { strength: 0 }"));
  EXPECT_EQ(nothing.number("unlearning.r.after.loss"), weak.number("unlearning.r.after.loss"));
  EXPECT_EQ(nothing.model(), weak.model());
}

TEST(SteerActivations, are_kept_over_a_break_and_of_several_requests_add_up) {
  const std::string text =
      run_of(3, mlp, training,
             "samples { of_class: 3 } steer_activations {} } requests { name: \"s\" round: 4 samples { "
             "of_class: 5 } steer_activations { sharpness: 2 }");
  EXPECT_EQ(simulate(text).state, simulate(text, 3).state);
  const std::string later = "rounds: 6 " + text.substr(text.find("training_rounds"));
  const Simulated whole = simulate(later), broken = simulate(later, 2, 4);
  EXPECT_EQ(whole.state, broken.state);
  EXPECT_EQ(whole.records[5].metric("accuracy"), broken.records[5].metric("accuracy"));
}

TEST(SteerActivations, need_a_hidden_layer) {
  EXPECT_THAT(refusal_of(run_of(2, "logreg {}", "learning_rate: 0.1", "clients { ids: 1 } steer_activations {}")),
              HasSubstr("take a network with hidden layers"));
}

}  // namespace
}  // namespace souk::unlearning_steering_test
