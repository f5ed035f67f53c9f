#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.hpp"
#include "tests/sim/learn/fixtures.hpp"

namespace souk::models_test {
namespace {

using fixtures::initial_parameters;
using fixtures::loss_and_gradient;
using fixtures::model;
using fixtures::norm;
using fixtures::relative_distance;
using fixtures::Samples;
using fixtures::shape;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

struct Count {
  std::string model;
  ModelShape shape;
  std::size_t trainable, buffers;
};

class ParameterCount : public ::testing::TestWithParam<Count> {};

TEST_P(ParameterCount, is_that_of_the_literature) {
  const ParameterLayout layout = make_architecture(model(GetParam().model), GetParam().shape).layout();

  EXPECT_EQ(layout.trainable(), GetParam().trainable);
  EXPECT_EQ(layout.dimension(), GetParam().trainable + GetParam().buffers);
}

INSTANTIATE_TEST_SUITE_P(
    Models, ParameterCount,
    ::testing::Values(
        Count{"logreg {}", shape(1, 28, 28, 10), 7850, 0}, Count{"mlp {}", shape(1, 28, 28, 10), 199210, 0},
        Count{"mlp { hidden: 3 }", shape(4, 1, 1, 2), 15 + 8, 0}, Count{"lenet5 {}", shape(1, 28, 28, 10), 61706, 0},
        Count{"cnn {}", shape(1, 28, 28, 10), 1663370, 0}, Count{"cnn_small {}", shape(1, 28, 28, 10), 139960, 0},
        Count{"cnn_cifar {}", shape(3, 32, 32, 10), 550570, 0}, Count{"resnet18 {}", shape(3, 32, 32, 10), 11173962, 0},
        Count{"resnet20 {}", shape(3, 32, 32, 10), 272474, 0},
        // 12 * (25 + 1) + 2 * 12 * (12 * 25 + 1), and 10 of 12 * 7 * 7 values.
        Count{"conv_net {}", shape(1, 28, 28, 10), 312 + 7224 + 5890, 0},
        Count{"conv_net { convolutions { channels: 4 } batch_norm: true }", shape(1, 6, 6, 3), 36 + 8 + 435, 8},
        Count{"resnet20 { normalization: BATCH_NORM }", shape(3, 32, 32, 10), 272474, 2 * 784}));

TEST(ParameterLayout, names_and_shapes_are_those_of_pytorch) {
  const ParameterLayout layout = make_architecture(model("lenet5 {}"), shape(1, 28, 28, 10)).layout();

  EXPECT_THAT(layout.slot("conv2.weight").shape, ElementsAre(16, 6, 5, 5));
  EXPECT_THAT(layout.slot("fc1.weight").shape, ElementsAre(120, 400));
  EXPECT_EQ(layout.slot("conv1.bias").offset, 150U);
}

TEST(ParameterLayout, puts_buffers_behind_all_trainable_values) {
  const ParameterLayout layout({{.name = "a", .shape = {2}},
                                {.name = "mean", .shape = {5}, .trainable = false},
                                {.name = "b", .shape = {3, 4}}});

  EXPECT_EQ(layout.trainable(), 14U);
  EXPECT_EQ(layout.slot("b").offset, 2U);
  EXPECT_EQ(layout.slot("mean").offset, 14U);
  EXPECT_EQ(layout.dimension(), 19U);
}

TEST(ParameterLayout, fingerprint_depends_on_names_shapes_and_kinds) {
  const auto fingerprint = [](Slot slot) { return ParameterLayout({std::move(slot)}).fingerprint(); };
  const auto original = fingerprint({.name = "a", .shape = {2, 3}});

  EXPECT_EQ(original, fingerprint({.name = "a", .shape = {2, 3}}));
  EXPECT_NE(original, fingerprint({.name = "b", .shape = {2, 3}}));
  EXPECT_NE(original, fingerprint({.name = "a", .shape = {3, 2}}));
  EXPECT_NE(original, fingerprint({.name = "a", .shape = {2, 3}, .trainable = false}));
}

struct Small {
  std::string name, model;
  ModelShape shape;
};

class EveryModel : public ::testing::TestWithParam<Small> {};

// The loss is a double from float logits, so it errs by about 1e-6. A step that changes it by 1e-2 leaves 1e-4 of that,
// and curvature and the kinks of ReLU more: 2 % of the gradient's norm covers both.
TEST_P(EveryModel, has_the_gradient_that_finite_differences_give) {
  const auto network = make_network(model(GetParam().model), GetParam().shape, "cpu");
  const auto parameters = initial_parameters(*network);
  const Samples samples(GetParam().shape, 6);
  const auto here = loss_and_gradient(*network, parameters, samples.batch());
  const auto loss_at = [&](const std::vector<float>& direction, float step) {
    auto moved = parameters;
    for (std::size_t i = 0; i < direction.size(); ++i) moved[i] += step * direction[i];
    return loss_and_gradient(*network, moved, samples.batch()).loss;
  };

  for (std::uint32_t lane = 20; lane < 23; ++lane) {
    std::vector<float> direction = fixtures::normal_values(here.gradient.size(), lane);
    const double random_norm = norm(direction), gradient_norm = norm(here.gradient);
    for (std::size_t i = 0; i < direction.size(); ++i) {
      direction[i] = static_cast<float>(0.6 * direction[i] / random_norm + 0.8 * here.gradient[i] / gradient_norm);
    }
    const double slope = fixtures::dot(direction, here.gradient);

    const auto step = static_cast<float>(5e-3 / std::max(1.0, gradient_norm));
    const double difference = (loss_at(direction, step) - loss_at(direction, -step)) / (2.0 * step);

    EXPECT_NEAR(difference, slope, 0.02 * gradient_norm);
  }
}

TEST_P(EveryModel, has_a_symmetric_hessian) {
  const auto network = make_network(model(GetParam().model), GetParam().shape, "cpu");
  const auto parameters = initial_parameters(*network);
  const Samples samples(GetParam().shape, 6);
  const std::size_t trainable = network->layout().trainable();
  const auto u = fixtures::normal_values(trainable, 30), v = fixtures::normal_values(trainable, 31);
  std::vector<float> hessian_u(trainable), hessian_v(trainable);

  network->hessian_vector(parameters, samples.batch(), u, hessian_u);
  network->hessian_vector(parameters, samples.batch(), v, hessian_v);

  EXPECT_GT(norm(hessian_u), 0.0);
  EXPECT_NEAR(fixtures::dot(v, hessian_u), fixtures::dot(u, hessian_v), 1e-5 * norm(v) * norm(hessian_u));
}

INSTANTIATE_TEST_SUITE_P(
    Models, EveryModel,
    ::testing::Values(
        Small{"logreg", "logreg {}", shape(1, 6, 6, 4)}, Small{"mlp", "mlp {}", shape(1, 6, 6, 4)},
        Small{"lenet5", "lenet5 {}", shape(1, 14, 14, 4)}, Small{"cnn", "cnn {}", shape(1, 8, 8, 4)},
        Small{"cnn_small", "cnn_small {}", shape(2, 10, 10, 4)}, Small{"cnn_cifar", "cnn_cifar {}", shape(3, 8, 8, 4)},
        Small{"resnet20", "resnet20 {}", shape(3, 8, 8, 4)},
        Small{"resnet20_batch_norm", "resnet20 { normalization: BATCH_NORM }", shape(3, 8, 8, 4)},
        Small{"resnet18", "resnet18 {}", shape(3, 8, 8, 4)}, Small{"conv_net", "conv_net {}", shape(1, 12, 12, 4)},
        Small{"conv_net_smooth", "conv_net { activation: SIGMOID }", shape(2, 12, 12, 4)},
        Small{"conv_net_batch_norm", "conv_net { activation: RELU batch_norm: true }", shape(1, 9, 9, 4)}),
    [](const auto& instance) { return instance.param.name; });

struct Differences {
  std::string model;
  std::size_t size;
  float step;
  double tolerance;
};

// Differences see the jumps where a ReLU or a maximum changes sides, the product does not: steps are as long as two
// samples allow without one. Gradients err by 1e-7 of their size, divided by the step.
TEST(HessianVector, is_the_difference_of_gradients) {
  for (const Differences& test :
       {Differences{"logreg {}", 6, 1e-2F, 1e-4}, Differences{"mlp { hidden: 6 }", 6, 1e-2F, 1e-4},
        Differences{"lenet5 {}", 14, 1e-2F, 2e-4}, Differences{"cnn_small {}", 12, 1e-2F, 5e-4},
        Differences{"cnn {}", 8, 1e-3F, 5e-3}}) {
    const ModelShape input = shape(1, test.size, test.size, 4);
    const auto network = make_network(model(test.model), input, "cpu");
    const auto parameters = initial_parameters(*network);
    const Samples samples(input, 2);
    auto direction = fixtures::normal_values(parameters.size(), 30);
    const auto length = static_cast<float>(norm(direction));
    for (float& value : direction) value /= length;
    std::vector<float> product(direction.size());
    const auto gradient_at = [&](float step) {
      auto moved = parameters;
      for (std::size_t i = 0; i < direction.size(); ++i) moved[i] += step * direction[i];
      return loss_and_gradient(*network, moved, samples.batch()).gradient;
    };

    network->hessian_vector(parameters, samples.batch(), direction, product);

    auto difference = gradient_at(test.step);
    const auto below = gradient_at(-test.step);
    for (std::size_t i = 0; i < difference.size(); ++i) difference[i] = (difference[i] - below[i]) / (2.0F * test.step);
    EXPECT_LT(relative_distance(product, difference), test.tolerance) << test.model;
  }
}

TEST(Initialisation, is_uniform_within_one_over_the_root_of_the_inputs) {
  const auto network = make_network(model("mlp {}"), shape(1, 28, 28, 10), "cpu");

  const auto parameters = initial_parameters(*network);

  const Slot& slot = network->layout().slot("fc1.weight");
  const auto first = parameters.begin() + static_cast<std::ptrdiff_t>(slot.offset);
  const auto [low, high] = std::minmax_element(first, first + static_cast<std::ptrdiff_t>(slot.size));
  EXPECT_GE(*low, -1.0F / 28.0F);
  EXPECT_LT(*low, -0.99F / 28.0F);
  EXPECT_LE(*high, 1.0F / 28.0F);
  EXPECT_GT(*high, 0.99F / 28.0F);
}

TEST(MakeNetwork, says_which_sizes_do_not_fit) {
  const auto make = [](const std::string& text, const ModelShape& input, const std::string& device = "cpu") {
    return [=] { make_network(model(text), input, device); };
  };

  EXPECT_THAT(make("lenet5 {}", shape(1, 8, 8, 10)), ThrowsMessage<InputError>(HasSubstr("1x8x8")));
  EXPECT_THAT(make("cnn {}", shape(1, 3, 3, 10)), ThrowsMessage<InputError>(HasSubstr("too small")));
  EXPECT_THAT(make("resnet20 { groups: 5 }", shape(3, 32, 32, 10)), ThrowsMessage<InputError>(HasSubstr("groups = 5")));
  EXPECT_THAT(make("mlp {}", shape(1, 8, 8, 1)), ThrowsMessage<InputError>(HasSubstr("at least 2 classes")));
  EXPECT_THAT(make("mlp {}", shape(1, 8, 8, 10), "gpu"), ThrowsMessage<InputError>(HasSubstr("must be cpu, cuda")));
}

TEST(BatchNorm, moves_running_statistics_when_training_and_uses_them_when_evaluating) {
  const ModelShape input = shape(3, 8, 8, 4);
  const auto network = make_network(model("resnet20 { normalization: BATCH_NORM }"), input, "cpu");
  auto parameters = initial_parameters(*network);
  const auto before = parameters;
  const Samples samples(input, 8);
  const auto evaluated = fixtures::logits(*network, parameters, samples.batch());

  std::vector<float> gradient(network->layout().trainable());
  network->gradient(parameters, samples.batch(), gradient);

  const auto trainable = static_cast<std::ptrdiff_t>(network->layout().trainable());
  EXPECT_TRUE(std::equal(before.begin(), before.begin() + trainable, parameters.begin()));
  const std::size_t mean = network->layout().slot("bn1.running_mean").offset;
  const std::size_t variance = network->layout().slot("bn1.running_var").offset;
  EXPECT_NE(parameters[mean], 0.0F);
  EXPECT_NE(parameters[variance], 1.0F);
  EXPECT_NE(fixtures::logits(*network, parameters, samples.batch()), evaluated);
}

TEST(BatchNorm, leaves_running_statistics_alone_in_hessian_products_and_evaluation) {
  const ModelShape input = shape(3, 8, 8, 4);
  const auto network = make_network(model("resnet20 { normalization: BATCH_NORM }"), input, "cpu");
  const auto parameters = initial_parameters(*network);
  const auto before = parameters;
  const Samples samples(input, 4);
  std::vector<float> direction(network->layout().trainable(), 1.0F), product(direction.size());

  network->hessian_vector(parameters, samples.batch(), direction, product);
  fixtures::logits(*network, parameters, samples.batch());

  EXPECT_EQ(parameters, before);
}

}  // namespace
}  // namespace souk::models_test
