// The objective that looks at two samples at a time: its term against hand-computed numbers and brute force, its slopes
// against differences, and as part of a network against LibTorch's derivatives of the whole loss.
#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.hpp"
#include "sim/learn/architecture.hpp"
#include "sim/learn/objective.hpp"
#include "tests/sim/learn/fixtures.hpp"

namespace souk::channel_correlation_test {
namespace {

using fixtures::normal_values;
using fixtures::parse;
using ::testing::HasSubstr;

std::shared_ptr<const Objective> correlation(const std::string& settings) {
  return make_objective(parse<scenario::Objective>("channel_correlation { " + settings + " }"), true);
}

const std::string defaults = "weight: 0.1 margin: 1 reduction: 16";
const std::vector<float> four{0.9F, 0.1F, 0.8F, 0.2F, 0.1F, 0.7F, 0.2F, 0.9F};
const std::vector<std::int32_t> two_and_two{0, 0, 1, 1};

double term(const Objective& objective, std::vector<float> attention, std::size_t channels,
            const std::vector<std::int32_t>& labels) {
  return objective.attention_gradient(attention, channels, {.classes = labels});
}

/// Squared distances: .02 and .05 within the classes, mean .035; 1, 1.13, .74 and .85 between them, mean .93.
TEST(ChannelCorrelation, is_the_mean_of_its_pairs) {
  double missing = 0.0, squares = 0.0;
  for (const double square : {1.0, 1.13, 0.74, 0.85}) {
    squares += square;
    missing += std::pow(std::max(0.0, 1.0 - std::sqrt(square)), 2);
  }
  EXPECT_NEAR(squares / 4.0, 0.93, 1e-12);
  EXPECT_NEAR(term(*correlation("weight: 1 margin: 1 reduction: 16"), four, 2, two_and_two), 0.035 + missing / 4.0,
              1e-6);
  EXPECT_NEAR(term(*correlation("weight: 1 margin: 0.01 reduction: 16"), four, 2, two_and_two), 0.035, 1e-6);
}

TEST(ChannelCorrelation, leaves_out_a_mean_over_no_pairs) {
  const auto objective = correlation("weight: 1 margin: 1 reduction: 16");
  EXPECT_NEAR(term(*objective, {0.9F, 0.1F, 0.8F, 0.2F}, 2, {3, 3}), 0.02, 1e-6);
  EXPECT_NEAR(term(*objective, {0.9F, 0.1F, 0.8F, 0.2F}, 2, {3, 4}), std::pow(1.0 - std::sqrt(0.02), 2), 1e-6);
  EXPECT_EQ(term(*objective, {0.9F, 0.1F}, 2, {3}), 0.0);
}

TEST(ChannelCorrelation, is_finite_where_two_classes_have_one_attention) {
  const auto objective = correlation(defaults);
  std::vector<float> attention{0.5F, 0.5F, 0.5F, 0.5F}, direction{1.0F, 0.0F, 0.0F, 1.0F};
  const std::vector<float> at = attention;
  const std::vector<std::int32_t> labels{0, 1};
  EXPECT_NEAR(objective->attention_gradient(attention, 2, {.classes = labels}), 0.1, 1e-7);
  EXPECT_THAT(attention, ::testing::Each(0.0F));
  objective->attention_curvature(at, 2, {.classes = labels}, direction);
  for (const float value : direction) EXPECT_TRUE(std::isfinite(value));
}

TEST(ChannelCorrelation, has_the_derivatives_that_finite_differences_give) {
  const auto objective = correlation("weight: 0.7 margin: 1.5 reduction: 16");
  constexpr std::size_t samples = 6, channels = 3;
  std::vector<float> attention = normal_values(samples * channels, 3);
  for (float& value : attention) value = 1.0F / (1.0F + std::exp(-value));
  const std::vector<float> direction = normal_values(attention.size(), 4);
  const std::vector<std::int32_t> labels{0, 1, 2, 0, 1, 1};
  const double step = 1e-3;
  const auto moved = [&](double by) {
    std::vector<float> at = attention;
    for (std::size_t i = 0; i < at.size(); ++i) at[i] += static_cast<float>(by * direction[i]);
    return at;
  };
  const auto gradient_at = [&](std::vector<float> at) {
    objective->attention_gradient(at, channels, {.classes = labels});
    return at;
  };
  const double slope =
      (term(*objective, moved(step), channels, labels) - term(*objective, moved(-step), channels, labels)) /
      (2.0 * step);
  EXPECT_NEAR(fixtures::dot(gradient_at(attention), direction), slope, 1e-4);

  std::vector<float> curvature = direction;
  objective->attention_curvature(attention, channels, {.classes = labels}, curvature);
  const std::vector<float> ahead = gradient_at(moved(step)), behind = gradient_at(moved(-step));
  for (std::size_t i = 0; i < curvature.size(); ++i) {
    EXPECT_NEAR(curvature[i], (ahead[i] - behind[i]) / (2.0 * step), 2e-3) << i;
  }
}

class Attentive : public ::testing::Test {
 protected:
  std::unique_ptr<Network> network(const std::string& settings) const {
    return make_network(fixtures::model("cnn_small {}"), shape_, "cpu", correlation(settings));
  }
  ModelShape shape_ = fixtures::shape(1, 28, 28, 3);
  fixtures::Samples samples_{shape_, 8};
};

TEST_F(Attentive, networks_have_attention_parameters_before_their_last_layer) {
  const auto attentive = network(defaults);
  const auto plain = make_network(fixtures::model("cnn_small {}"), shape_, "cpu");
  EXPECT_EQ(attentive->layout().slots().back().name, plain->layout().slots().back().name);
  EXPECT_GT(attentive->layout().slot("attention.squeeze.weight").size, 0U);
  EXPECT_GT(attentive->layout().trainable(), plain->layout().trainable());
}

// The attention's own parameters see nothing but the term; without it they do not move.
TEST_F(Attentive, networks_train_attention_by_the_term_alone) {
  const auto with = network("weight: 1 margin: 1 reduction: 4"), without = network("weight: 0 margin: 1 reduction: 4");
  const std::vector<float> parameters = fixtures::initial_parameters(*with);
  const auto trained = fixtures::loss_and_gradient(*with, parameters, samples_.batch());
  const auto left = fixtures::loss_and_gradient(*without, parameters, samples_.batch());
  const Slot& squeeze = with->layout().slot("attention.squeeze.weight");
  double moved = 0.0;
  for (std::size_t v = squeeze.offset; v < squeeze.offset + squeeze.size; ++v) {
    moved += std::abs(trained.gradient[v]);
    EXPECT_EQ(left.gradient[v], 0.0F);
  }
  EXPECT_GT(moved, 0.0);
  EXPECT_GT(trained.loss, left.loss);
}

TEST_F(Attentive, networks_have_the_slopes_that_differences_of_losses_give) {
  const auto net = network("weight: 2 margin: 1 reduction: 4");
  const std::vector<float> parameters = fixtures::initial_parameters(*net);
  std::vector<float> direction = normal_values(parameters.size(), 21);
  const double length = std::sqrt(fixtures::dot(direction, direction));
  for (float& value : direction) value = static_cast<float>(value / length);
  const auto at = [&](double by) {
    std::vector<float> moved = parameters;
    for (std::size_t v = 0; v < moved.size(); ++v) moved[v] += static_cast<float>(by * direction[v]);
    return fixtures::loss_and_gradient(*net, moved, samples_.batch());
  };
  const double step = 1e-2;
  const auto here = at(0.0);
  EXPECT_NEAR(fixtures::dot(here.gradient, direction), (at(step).loss - at(-step).loss) / (2.0 * step), 2e-3);

  std::vector<float> product(direction.size());
  net->hessian_vector(parameters, samples_.batch(), direction, product);
  const double bend =
      (fixtures::dot(at(step).gradient, direction) - fixtures::dot(at(-step).gradient, direction)) / (2.0 * step);
  EXPECT_NEAR(fixtures::dot(product, direction), bend, 5e-2 * std::max(1.0, std::abs(bend)));
}

TEST(ChannelCorrelation, is_refused_where_there_is_no_convolution) {
  try {
    make_network(fixtures::model("mlp { hidden: 4 }"), fixtures::shape(1, 28, 28, 3), "cpu", correlation(defaults));
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("task.objective: asks for the channel attention of a convolution"));
  }
}

}  // namespace
}  // namespace souk::channel_correlation_test
