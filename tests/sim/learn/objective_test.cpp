// Losses against their definitions, against finite differences of themselves, and against LibTorch's derivatives of a
// network that ends in them.
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.hpp"
#include "sim/base/plugin_registry.hpp"
#include "sim/learn/chain_network.hpp"
#include "tests/sim/learn/fixtures.hpp"

namespace souk::objective_test {
namespace {

using fixtures::normal_values;
using fixtures::parse;
using ::testing::HasSubstr;

std::shared_ptr<const Objective> objective(const std::string& text, bool of_classes) {
  return make_objective(parse<scenario::Objective>(text), of_classes);
}

double loss_of(const Objective& of, const std::vector<float>& outputs, std::size_t width, const Targets& targets) {
  std::vector<double> losses(outputs.size() / width);
  of.losses(outputs, width, targets, losses);
  return std::accumulate(losses.begin(), losses.end(), 0.0);
}

TEST(Objective, losses_of_classes_are_those_of_their_formulas) {
  const std::vector<float> logits{1.0F, 2.0F, 4.0F};
  const double normaliser = std::exp(1.0) + std::exp(2.0) + std::exp(4.0);
  const std::vector<double> p{std::exp(1.0) / normaliser, std::exp(2.0) / normaliser, std::exp(4.0) / normaliser};
  const std::vector<std::int32_t> label{1};
  const Targets targets{.classes = label};

  EXPECT_NEAR(loss_of(*objective("cross_entropy {}", true), logits, 3, targets), -std::log(p[1]), 1e-12);
  EXPECT_NEAR(loss_of(*objective("label_smoothing { epsilon: 0.3 }", true), logits, 3, targets),
              -0.1 * std::log(p[0]) - 0.8 * std::log(p[1]) - 0.1 * std::log(p[2]), 1e-12);
  EXPECT_NEAR(loss_of(*objective("focal { gamma: 2 }", true), logits, 3, targets),
              -(1.0 - p[1]) * (1.0 - p[1]) * std::log(p[1]), 1e-12);
}

TEST(Objective, losses_of_numbers_are_those_of_their_formulas) {
  const std::vector<float> predictions{1.0F, -2.0F, 0.5F}, wanted{0.0F, 1.0F, 0.25F};
  const Targets targets{.numbers = wanted};

  EXPECT_DOUBLE_EQ(loss_of(*objective("squared_error {}", false), predictions, 1, targets), 1.0 + 9.0 + 0.0625);
  EXPECT_DOUBLE_EQ(loss_of(*objective("absolute_error {}", false), predictions, 1, targets), 1.0 + 3.0 + 0.25);
  EXPECT_DOUBLE_EQ(loss_of(*objective("huber { delta: 1 }", false), predictions, 1, targets), 0.5 + 2.5 + 0.03125);
}

TEST(Objective, smoothing_and_focus_of_nothing_are_cross_entropy) {
  const std::vector<float> logits = normal_values(40, 3);
  const std::vector<std::int32_t> labels{0, 1, 2, 3, 0, 1, 2, 3, 0, 1};
  const Targets targets{.classes = labels};
  auto expected = logits;
  objective("cross_entropy {}", true)->gradient(expected, 4, targets, 10);
  for (const char* text : {"label_smoothing { epsilon: 0 }", "focal { gamma: 0 }"}) {
    auto gradient = logits;
    objective(text, true)->gradient(gradient, 4, targets, 10);
    EXPECT_LT(fixtures::relative_distance(gradient, expected), 1e-6) << text;
  }
}

TEST(Objective, of_the_other_kind_is_refused_by_name) {
  const auto refusal = [](const std::string& text, bool of_classes) -> std::string {
    try {
      objective(text, of_classes);
    } catch (const InputError& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal("huber {}", true), HasSubstr("task.objective.huber: is a loss of numbers"));
  EXPECT_THAT(refusal("focal {}", false), HasSubstr("task.objective.focal: is a loss of classes"));
}

TEST(Objective, focal_loss_of_a_certain_answer_is_nothing_and_has_no_slope) {
  std::vector<float> logits{200.0F, -200.0F}, direction{1.0F, -1.0F};
  const std::vector<std::int32_t> right{0};
  const auto focal = objective("focal { gamma: 0.5 }", true);
  const std::vector<float> answers = logits;
  EXPECT_EQ(focal->gradient(logits, 2, {.classes = right}, 1), 0.0);
  focal->curvature(answers, 2, {.classes = right}, 1, direction);
  EXPECT_THAT(logits, ::testing::Each(0.0F));
  EXPECT_THAT(direction, ::testing::Each(0.0F));
}

struct Case {
  std::string text;
  bool of_classes;
};

class EveryObjective : public ::testing::TestWithParam<Case> {
 protected:
  static constexpr std::size_t samples = 12;
  std::size_t width() const { return GetParam().of_classes ? 5 : 1; }
  Targets targets() const { return GetParam().of_classes ? Targets{.classes = labels_} : Targets{.numbers = numbers_}; }
  ModelShape shape() const { return {.input = {7, 1, 1}, .classes = GetParam().of_classes ? 5 : 0}; }
  Batch batch() const {
    return {.features = features_, .labels = targets().classes, .samples = samples, .numbers = targets().numbers};
  }
  std::shared_ptr<const Objective> objective_ = objective(GetParam().text, GetParam().of_classes);
  std::vector<std::int32_t> labels_{0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1};
  std::vector<float> numbers_ = normal_values(samples, 5);
  std::vector<float> features_ = normal_values(samples * 7, 6);
};

// Errors lie away from the kinks of these losses by more than the step.
TEST_P(EveryObjective, has_the_derivatives_that_finite_differences_give) {
  const std::vector<float> outputs = normal_values(samples * width(), 7);
  const std::vector<float> direction = normal_values(outputs.size(), 8);
  const double step = 1e-3;
  const auto moved = [&](double by) {
    std::vector<float> at = outputs;
    for (std::size_t i = 0; i < at.size(); ++i) at[i] += static_cast<float>(by * direction[i]);
    return at;
  };
  const auto gradient_at = [&](std::vector<float> at) {
    objective_->gradient(at, width(), targets(), samples);
    return at;
  };

  const std::vector<float> gradient = gradient_at(outputs);
  const double slope =
      (loss_of(*objective_, moved(step), width(), targets()) - loss_of(*objective_, moved(-step), width(), targets())) /
      (2.0 * step * samples);
  EXPECT_NEAR(fixtures::dot(gradient, direction), slope, 1e-4);

  std::vector<float> curvature = direction;
  objective_->curvature(outputs, width(), targets(), samples, curvature);
  const std::vector<float> ahead = gradient_at(moved(step)), behind = gradient_at(moved(-step));
  for (std::size_t i = 0; i < curvature.size(); ++i) {
    EXPECT_NEAR(curvature[i], (ahead[i] - behind[i]) / (2.0 * step), 2e-3) << i;
  }
}

TEST_P(EveryObjective, gives_the_sum_of_its_losses_with_the_gradient) {
  std::vector<float> outputs = normal_values(samples * width(), 9);
  const double expected = loss_of(*objective_, outputs, width(), targets());
  EXPECT_NEAR(objective_->gradient(outputs, width(), targets(), samples), expected, 1e-5 * std::abs(expected));
}

TEST_P(EveryObjective, trains_alike_by_our_kernels_and_by_automatic_differentiation) {
  const Architecture architecture = make_architecture(fixtures::model("mlp { hidden: 6 }"), shape());
  const auto chain = make_chain_network(architecture, objective_);
  const auto torch = make_torch_network(architecture, "cpu", objective_);
  const std::vector<float> parameters = fixtures::initial_parameters(*chain);

  const auto ours = fixtures::loss_and_gradient(*chain, parameters, batch());
  const auto theirs = fixtures::loss_and_gradient(*torch, parameters, batch());
  EXPECT_NEAR(ours.loss, theirs.loss, 1e-5 * std::abs(theirs.loss));
  EXPECT_LT(fixtures::relative_distance(ours.gradient, theirs.gradient), 1e-5);

  const std::vector<float> direction = normal_values(parameters.size(), 12);
  std::vector<float> our_product(direction.size()), their_product(direction.size());
  chain->hessian_vector(parameters, batch(), direction, our_product);
  torch->hessian_vector(parameters, batch(), direction, their_product);
  EXPECT_LT(fixtures::relative_distance(our_product, their_product), 1e-5);
}

// An affine network is smooth: its Hessian-vector product is the derivative of its gradient.
TEST_P(EveryObjective, has_the_hessian_that_differences_of_gradients_give) {
  const Architecture architecture =
      make_architecture(fixtures::model(GetParam().of_classes ? "logreg {}" : "linear {}"), shape());
  const auto network = make_torch_network(architecture, "cpu", objective_);
  const std::vector<float> parameters = fixtures::initial_parameters(*network);
  const std::vector<float> direction = normal_values(parameters.size(), 11);
  std::vector<float> product(parameters.size());
  network->hessian_vector(parameters, batch(), direction, product);

  const float step = 2e-3F;
  std::vector<float> ahead = parameters, behind = parameters;
  for (std::size_t v = 0; v < parameters.size(); ++v) {
    ahead[v] += step * direction[v];
    behind[v] -= step * direction[v];
  }
  const auto up = fixtures::loss_and_gradient(*network, ahead, batch()).gradient;
  const auto down = fixtures::loss_and_gradient(*network, behind, batch()).gradient;
  for (std::size_t v = 0; v < product.size(); ++v) {
    EXPECT_NEAR(product[v], (up[v] - down[v]) / (2.0F * step), 5e-3) << v;
  }
}

INSTANTIATE_TEST_SUITE_P(Losses, EveryObjective,
                         ::testing::Values(Case{"cross_entropy {}", true},
                                           Case{"label_smoothing { epsilon: 0.2 }", true},
                                           Case{"focal { gamma: 2 }", true}, Case{"focal { gamma: 0.5 }", true},
                                           Case{"squared_error {}", false}, Case{"absolute_error {}", false},
                                           Case{"huber { delta: 0.7 }", false}),
                         [](const auto& each) {
                           std::string name;
                           for (const char c : each.param.text) {
                             if (std::isalnum(static_cast<unsigned char>(c)) || c == '_') name += c;
                           }
                           return name;
                         });

TEST(Objective, every_registered_loss_is_tested_here_or_in_channel_correlation_test) {
  EXPECT_EQ(PluginRegistry<Objective>::instance().names().size(), 7U);
}

}  // namespace
}  // namespace souk::objective_test
